from dataclasses import replace

import pytest

from mien.models import InputContract, ModelCard, OutputContract, PackageSource, load_card

CARD = ModelCard(
    name="a",
    title="A",
    task="encoder",
    licence="MIT",
    input=InputContract((112, 112), "rgb", template="arcface-112"),
    output=OutputContract("y", 2),
    file="a.onnx",
    sha256="0" * 64,
    size_bytes=1,
)


@pytest.mark.parametrize(
    "other",
    [
        replace(CARD, sha256="1" * 64),
        replace(CARD, input=replace(CARD.input, size=(112, 96))),
        replace(CARD, input=replace(CARD.input, colour="bgr")),
        replace(CARD, input=replace(CARD.input, mean=(1.0, 0.0, 0.0))),
        replace(CARD, input=replace(CARD.input, scale=(1.0, 1.0, 0.5))),
        replace(CARD, input=replace(CARD.input, template="dlib-150")),
        replace(CARD, input=replace(CARD.input, multiple=2)),
        CARD.with_flip(True),
        replace(CARD, output=replace(CARD.output, name="z")),
        replace(CARD, output=replace(CARD.output, dimensions=3)),
        replace(CARD, output=replace(CARD.output, centre=(0.0, 0.0))),
    ],
)
def test_identity_changes_with_all_that_an_embedding_depends_on(other: ModelCard) -> None:
    assert other.identity() != CARD.identity()


def test_identity_changes_with_precision() -> None:
    assert CARD.identity("bf16") != CARD.identity("f32") == CARD.identity()


def test_identity_does_not_change_with_words_and_sources() -> None:
    other = replace(CARD, name="b", title="B", licence="?", sources=(PackageSource("p", "1", "f"),), limits="none")
    assert other.identity() == CARD.identity()


def test_identity_of_the_shipped_cards_is_fixed() -> None:
    # Galleries and calibrations carry these: a change here makes every one of them useless.
    assert load_card("yunet").identity() == "76bb7eac95f404033b4ebba477c762c5c63f64c3e1ab96044e0b4f622b4c6a19"
    assert load_card("sface").identity() == "e02b397d2ba9057dc80d4987d36e03278fbbf956eccd0c74d5f6816b5fcfa4f8"
    assert load_card("dlib").identity() == "c785e993ce6bdca67cd58cbe111c00ea118dda50a469ffe70f8a6c70d5faba6e"
    assert load_card("fusion").identity() == "ca6344afa879a41aa1eb06e8cc08b14dc35d4c461ab07000413f775e5ed1e203"


def test_flip_goes_to_the_members_of_a_fusion_and_back() -> None:
    fusion = load_card("fusion")
    flipped = fusion.with_flip(True)
    assert [member.input.flip for member, _ in flipped.members] == [True, True]
    assert flipped.identity() != fusion.identity() == flipped.with_flip(False).identity()


def test_identity_of_a_fusion_changes_with_weights_members_and_precision() -> None:
    fusion = load_card("fusion")
    (a, wa), (b, wb) = fusion.members
    changed = [
        replace(fusion, members=((a, wb), (b, wa))),
        replace(fusion, members=((b, wb), (a, wa))),
        replace(fusion, members=((a.with_flip(True), wa), (b, wb))),
    ]
    identities = {card.identity() for card in [fusion, *changed]} | {fusion.identity("bf16")}
    assert len(identities) == 5
