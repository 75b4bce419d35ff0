"""Where a config names files: such a name is relative to the config, and its content an input."""

#: Dotted paths of the parameters that name a file or folder (a test compares them with the schema).
FILE_PATHS = ("specimen.path", "specimen.mask", "specimen.folder", "hormones.course.path")
#: Of these, where a bone of the library is taken from: its content is known before it is there.
LIBRARY_FOLDER = "specimen.folder"
