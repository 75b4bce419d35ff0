/* Data of the page: arrays and tables from texts, tables as CSV. The other side of bonesim/page/blobs.py. */

const KINDS = {
  u1: Uint8Array, u2: Uint16Array, i4: Int32Array, f4: Float32Array, f8: Float64Array, u8: BigUint64Array,
};

/** The bytes of a base64 text. */
function bytesOf(text) {
  const plain = atob(text);
  const bytes = new Uint8Array(plain.length);
  for (let k = 0; k < plain.length; k++) bytes[k] = plain.charCodeAt(k);
  return bytes;
}

/** An array of the page: its text is decoded, inflated, and its bytes put together again. */
async function arrayOf(place) {
  const bytes = bytesOf(document.getElementById(`blob-${place.blob}`).textContent);
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  const planes = new Uint8Array(await new Response(stream).arrayBuffer());
  const Kind = KINDS[place.kind];
  const size = Kind.BYTES_PER_ELEMENT;
  if (size === 1) return planes;
  const whole = new Uint8Array(planes.length);
  for (let plane = 0; plane < size; plane++) {
    const from = plane * place.count;
    for (let k = 0; k < place.count; k++) whole[k * size + plane] = planes[from + k];
  }
  return new Kind(whole.buffer);
}

/** A table; `load` it before its columns are read. */
class Table {
  constructor(spec) {
    this.rows = spec.rows;
    this.columns = spec.columns;
    this.byName = new Map(spec.columns.map((column) => [column.name, column]));
    this.ready = null;
  }

  load() {
    if (!this.ready) {
      this.ready = Promise.all(this.columns.map(async (column) => {
        column.data = column.values || await arrayOf(column);
      })).then(() => this);
    }
    return this.ready;
  }

  has(name) { return this.byName.has(name); }

  /** Numbers, codes or texts of a column. */
  data(name) { return this.byName.get(name).data; }

  /** A value as a reader and CSV have it; empty if there is none. */
  text(name, row) { return cellText(this.byName.get(name), row); }

  csv() {
    const lines = [this.columns.map((column) => quoted(column.name)).join(",")];
    for (let row = 0; row < this.rows; row++) {
      lines.push(this.columns.map((column) => quoted(cellText(column, row))).join(","));
    }
    return lines.join("\r\n") + "\r\n";
  }
}

function cellText(column, row) {
  const value = column.data[row];
  if (column.names) return value < 0 ? "" : column.names[value];
  if (column.bool) return value ? "True" : "False";
  if (typeof value === "number" && Number.isNaN(value)) return "";
  if (column.kind === "f4") return shortest(value);
  return String(value);
}

/** The shortest text that is this float32. */
function shortest(value) {
  for (let digits = 6; digits < 9; digits++) {
    const text = String(Number(value.toPrecision(digits)));
    if (Math.fround(Number(text)) === value) return text;
  }
  return String(Number(value.toPrecision(9)));
}

function quoted(text) {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** Rows of texts as CSV. */
function csvOf(head, rows) {
  return [head, ...rows].map((row) => row.map((one) => quoted(String(one))).join(",")).join("\r\n") + "\r\n";
}

/** A number for reading: four significant digits, no exponent where none is needed. */
function shown(value) {
  if (value === null || value === undefined || Number.isNaN(value)) return "\u2013";
  const size = Math.abs(value);
  if (size >= 1e6 || (size > 0 && size < 1e-4)) return value.toExponential(2);
  if (Number.isInteger(value)) return value.toLocaleString("en-US");
  const digits = size >= 1000 ? 0 : Math.max(0, 3 - Math.floor(Math.log10(size || 1)));
  const text = value.toFixed(Math.min(digits, 6));
  return text.includes(".") ? text.replace(/0+$/, "").replace(/\.$/, "") : text;
}

/** A change in per cent: two decimals, one from 10 on. */
function percent(value) {
  return Number.isFinite(value) ? `${signed(Number(value.toFixed(Math.abs(value) < 10 ? 2 : 1)))} %` : "\u2013";
}

function signed(value) {
  return Number.isFinite(value) ? `${value > 0 ? "+" : value < 0 ? "\u2212" : ""}${shown(Math.abs(value))}` : "\u2013";
}
