"""DICOM series written with pydicom, slice by slice or with many frames."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom import dcmwrite
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.uid import ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian

CT = "1.2.840.10008.5.1.4.1.1.2"
ENHANCED = "1.2.840.10008.5.1.4.1.1.2.1"
SYNTAX = {
    "little": ExplicitVRLittleEndian, "implicit": ImplicitVRLittleEndian, "big": ExplicitVRBigEndian,
}  # fmt: skip
IDENTITY = [1, 0, 0, 0, 1, 0]


def image(values: NDArray[Any], uid: str = "1.2.3", **given: Any) -> FileDataset:
    """A data set of one slice (y, x) or of frames (n, y, x), with attributes of its own."""
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = CT
    meta.MediaStorageSOPInstanceUID = f"{uid}.1"
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    data = FileDataset("", {}, file_meta=meta, preamble=bytes(128))
    data.SOPClassUID, data.SOPInstanceUID = CT, f"{uid}.1"
    data.SeriesInstanceUID, data.SeriesNumber, data.SeriesDescription = uid, 1, "bone"
    data.Modality, data.InstanceNumber = "CT", 1
    data.SamplesPerPixel, data.PhotometricInterpretation = 1, "MONOCHROME2"
    data.Rows, data.Columns = values.shape[-2:]
    if values.ndim == 3:
        data.NumberOfFrames = len(values)
    bits = 8 * values.itemsize
    data.BitsAllocated, data.BitsStored, data.HighBit = bits, bits, bits - 1
    data.PixelRepresentation = int(values.dtype.kind == "i")
    data.ImageOrientationPatient, data.PixelSpacing = IDENTITY, [0.02, 0.02]
    data.PixelData = values.tobytes() + b"\0" * (values.nbytes % 2)
    data["PixelData"].VR = "OB" if bits == 8 else "OW"
    for name, value in given.items():
        if value is None:
            if name in data:
                delattr(data, name)
        else:
            setattr(data, name, value)
    return data


def save(data: FileDataset, path: Path, syntax: str = "little", *, bare: bool = False) -> Path:
    """Write a data set; `bare`: without preamble and meta information."""
    data.file_meta.TransferSyntaxUID = SYNTAX[syntax]
    if syntax == "big" and data.BitsAllocated > 8:
        size = data.BitsAllocated // 8
        data.PixelData = np.frombuffer(data.PixelData, f"<u{size}").astype(f">u{size}").tobytes()
    way = {"implicit_vr": syntax == "implicit", "little_endian": syntax != "big"}
    if bare:
        data.preamble = None
        del data.file_meta
    dcmwrite(path, data, enforce_file_format=not bare, **(way if bare else {}))
    return path


def series(
    folder: Path, values: NDArray[Any], *, syntax: str = "little", bare: bool = False,
    names: Any = "IM{:04d}", uid: str = "1.2.3", step: float = 0.02, origin: Any = (0, 0, 0),
    orientation: Any = IDENTITY, **given: Any,
) -> Path:  # fmt: skip
    """A folder of one file a slice; each given attribute may be a function of the slice's number."""
    folder.mkdir(exist_ok=True)
    normal = np.cross(orientation[:3], orientation[3:])
    for n, page in enumerate(values):
        own = {name: one(n) if callable(one) else one for name, one in given.items()}
        place = np.array(origin) + n * step * normal
        own = {
            "InstanceNumber": n + 1, "ImageOrientationPatient": list(orientation),
            "ImagePositionPatient": [round(float(x), 6) for x in place], **own,
        }  # fmt: skip
        save(image(page, uid, **own), folder / names.format(n), syntax, bare=bare)
    return folder


def enhanced(values: NDArray[Any], step: float = 0.02, slope: float = 1.0) -> FileDataset:
    """Many frames with functional groups of their own."""
    data = image(values, ImageOrientationPatient=None, PixelSpacing=None)
    data.SOPClassUID = data.file_meta.MediaStorageSOPClassUID = ENHANCED
    shared, pixel, axes, scale = Dataset(), Dataset(), Dataset(), Dataset()
    pixel.PixelSpacing, pixel.SliceThickness = [0.02, 0.02], 0.02
    axes.ImageOrientationPatient = IDENTITY
    scale.RescaleSlope, scale.RescaleIntercept, scale.RescaleType = slope, -1000, "HU"
    shared.PixelMeasuresSequence, shared.PlaneOrientationSequence = [pixel], [axes]
    shared.PixelValueTransformationSequence = [scale]
    data.SharedFunctionalGroupsSequence = [shared]
    frames = []
    for n in range(len(values)):
        frame, place = Dataset(), Dataset()
        place.ImagePositionPatient = [0, 0, round(n * step, 6)]
        frame.PlanePositionSequence = [place]
        frames.append(frame)
    data.PerFrameFunctionalGroupsSequence = frames
    return data
