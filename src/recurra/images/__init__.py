"""Pictures: reading them from files, in grey and at a size, and writing them."""

from recurra.images.augment import vary_line
from recurra.images.blocks import to_blocks
from recurra.images.collection import PICTURE, FoundPictures, picture_kind, read_pictures
from recurra.images.features import Normalisation, PictureFeatures
from recurra.images.jpeg import encode_jpeg, jpeg_text
from recurra.images.lines import cut_polygon, line_image
from recurra.images.png import encode_png
from recurra.images.read import MAX_PICTURE_PIXELS, is_picture, read_picture
from recurra.images.transform import contact_sheet, enlarge, resize, sheet_size, to_grey

__all__ = [
    "MAX_PICTURE_PIXELS",
    "PICTURE",
    "FoundPictures",
    "Normalisation",
    "PictureFeatures",
    "contact_sheet",
    "cut_polygon",
    "encode_jpeg",
    "encode_png",
    "enlarge",
    "is_picture",
    "jpeg_text",
    "line_image",
    "picture_kind",
    "read_picture",
    "read_pictures",
    "resize",
    "sheet_size",
    "to_blocks",
    "to_grey",
    "vary_line",
]
