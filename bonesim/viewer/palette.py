"""Colours and their names, the same in every picture.

Hues for categories follow the palette of Okabe and Ito (Wong 2011): readers with any common colour
vision can distinguish them. Every main category has its own shape as well. Numbers are coloured by
cividis (Nunez 2018), which is perceptually uniform and looks the same to dichromats.
"""

from typing import NamedTuple

BONE = "#EBDDBF"
#: The flat faces where the specimen was cut: no biological surface.
CUT_FACE = "#D2A877"
BACKGROUND = "#FFFFFF"
#: Shade of the days without estradiol, behind curves.
SUPPRESSION = "#E4E4E4"
INK = "#222222"

BVTV = "#222222"
BMD = "#E69F00"
CONN_D = "#009E73"
THICKNESS = "#0072B2"
TWIN = "#009E73"
E2 = "#AA4499"
TESTOSTERONE = "#0072B2"
LH = "#009E73"
#: Colours of drugs, in order.
DRUGS = ("#D55E00", "#882255", "#117733", "#332288", "#88CCEE", "#DDCC77", "#CC6677", "#44AA99")

#: Colour map of a number over a surface.
NUMBER_MAP = "cividis"


class Mark(NamedTuple):
    """How one kind of event is drawn: its name, colour and matplotlib marker."""

    name: str
    colour: str
    shape: str


#: Kind of event -> how the breaks of that kind are marked.
EVENTS: dict[str, Mark] = {
    "plate_perforation": Mark("plate perforation", "#D0101C", "o"),
    "strut_cut": Mark("strut cut", "#005BBB", "D"),
}

#: Kind of break -> kind of event.
OF_BREAKS = {"hole": "plate_perforation", "cut": "strut_cut"}

#: Part of a loss -> its colour and hatching; hatched parts come back without new structure.
LOSS: dict[str, tuple[str, str]] = {
    "open_space": ("#9AD0F0", "///"),
    "mineral_lag": ("#F0E442", "..."),
    "thinning": ("#E69F00", ""),
    "plate_perforation": (EVENTS["plate_perforation"].colour, ""),
    "strut_cut": (EVENTS["strut_cut"].colour, ""),
    "fragment": (INK, ""),
}

#: surface_state code -> (name, colour).
STATES: dict[int, tuple[str, str]] = {
    0: ("marrow", "#FFFFFF"),
    1: ("bone interior", BONE),
    2: ("quiescent", BONE),
    3: ("osteoclasts", "#D55E00"),
    4: ("mononuclear phase", "#E69F00"),
    5: ("reversal", "#F0E442"),
    6: ("forming (osteoid)", "#0072B2"),
    7: ("arrested reversal", "#CC79A7"),
}
#: Codes of the bone surface, the ones a picture can show.
SURFACE_STATES = (2, 3, 4, 5, 6, 7)

#: What became of a voxel between two days, and in which of two runs it is bone: (name, colour).
CHANGES: dict[str, tuple[str, str]] = {
    "both": ("bone on both days", BONE),
    "now": ("formed", "#0072B2"),
    "before": ("resorbed", "#D55E00"),
}
SIDES: dict[str, tuple[str, str]] = {
    "both": ("bone in both", BONE),
    "run": ("bone only in the run", "#332288"),
    "twin": ("bone only in the twin", "#44AA99"),
}
#: Cells as marks of their own.
CELLS: dict[str, tuple[str, str]] = {
    "osteoclast": ("osteoclast", "#D55E00"),
    "osteoblast": ("osteoblast", "#0072B2"),
    "bmu": ("remodelling unit", "#882255"),
    "osteocyte": ("osteocyte", "#117733"),
    "empty": ("empty lacuna", "#222222"),
}
