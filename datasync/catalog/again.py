"""Look again into a file that could not be read when it was catalogued."""

from __future__ import annotations

from datasync.at_hand import at_hand, path_of
from datasync.catalog import records
from datasync.catalog.description import Described
from datasync.catalog.examine import examine
from datasync.catalog.heads import read_when_asked
from datasync.mapping.store import shelf
from datasync.models import CatalogFile


def look_again(file: CatalogFile, *, save: bool = True) -> None:
    """Fill in what the catalogue could not see of the file's content; unless ``save``, in ``file`` alone.

    Raises the ``FileError`` that says why, when it still cannot be read: that, and not a missing template, is what is
    wrong with such a file.
    """
    with at_hand(file):
        (heads,) = read_when_asked([path_of(file)])
        if heads is None:
            return
        examination = examine(heads, Described(records.description_of(file)), shelf=shelf())
    if examination.error is not None:
        raise examination.error
    if save:
        CatalogFile.objects.filter(pk=file.pk).update(**examination.values)
    for name, value in examination.values.items():
        setattr(file, name, value)
