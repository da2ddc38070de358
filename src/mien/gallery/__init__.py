"""Floor 7: whom do we know?"""

from mien.gallery.gallery import Gallery, OnDuplicate
from mien.gallery.location import locate
from mien.gallery.records import (
    Enrolment,
    ForgetReceipt,
    IdentifiedFace,
    Lookalike,
    PersonDetails,
    PersonRecord,
    SkippedPhoto,
    TemplateRecord,
)

__all__ = [
    "Enrolment",
    "ForgetReceipt",
    "Gallery",
    "IdentifiedFace",
    "Lookalike",
    "OnDuplicate",
    "PersonDetails",
    "PersonRecord",
    "SkippedPhoto",
    "TemplateRecord",
    "locate",
]
