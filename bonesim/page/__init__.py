"""The page of a run: one HTML file that needs no server, no network and no Python."""

from bonesim.public import loaded_when_used

__getattr__, __dir__, __all__ = loaded_when_used(
    __name__,
    {"document": ("Page",), "folder_page": ("page_of_folder",), "run_page": ("page_of_run",)},
)
