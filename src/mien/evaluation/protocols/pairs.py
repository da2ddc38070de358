from pathlib import Path
from typing import Literal

from mien.evaluation.protocols.listed_pairs import ListedPairs
from mien.evaluation.protocols.photo_pairs import read_cfp, read_pair_list
from mien.evaluation.protocols.protocol import last_part
from mien.evaluation.protocols.tables import photo_files


def pairs(listed: Path, *, photos: Path | None = None, kind: Literal["FF", "FP"] = "FP") -> ListedPairs:
    """A list of pairs: the layouts of LFW, XQLFW, CALFW, CPLFW, AgeDB-30, CFP, or CSV (first,second,mated).

    Args:
        listed: The list of pairs, or the folder Protocol of CFP.
        photos: The folder that the names in the list start from; by default the list's, or Data/Images of CFP.
        kind: Of CFP: frontal with frontal (FF), or frontal with profile (FP).
    """
    if listed.is_dir():
        folder = photos or listed.parent / "Data" / "Images"
        found = read_cfp(listed, kind)
        return ListedPairs("pairs", f"CFP-{kind}", last_part(folder), found, photo_files(listed, found.names, folder))
    folder = photos or listed.parent
    found = read_pair_list(listed)
    return ListedPairs(
        "pairs", f"The pairs of {listed.stem}", last_part(folder), found, photo_files(listed, found.names, folder)
    )
