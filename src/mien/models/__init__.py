"""Floor 2: which network, from where, is it the right file, and what runs it?"""

from mien.models.card import InputContract, ModelCard, OutputContract, PackageSource, UrlSource
from mien.models.card_file import list_cards, load_card
from mien.models.files import add, fetch, find_weights
from mien.models.runner import Runner, check_graph, open_model

__all__ = [
    "InputContract",
    "ModelCard",
    "OutputContract",
    "PackageSource",
    "Runner",
    "UrlSource",
    "add",
    "check_graph",
    "fetch",
    "find_weights",
    "list_cards",
    "load_card",
    "open_model",
]
