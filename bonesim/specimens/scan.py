from typing import Literal
from bonesim.parameters import Parameters
class ScanParameters(Parameters):
    kind: Literal["scan"] = "scan"
    path: str
def read_scan(p): ...
