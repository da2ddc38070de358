import pytest

from mien.training.data.leaks import same_names


@pytest.mark.parametrize(
    ("name", "other"),
    [
        ("Adriana Lima", "Adriana_Lima"),
        ("adriana_lima", "ADRIANA-LIMA"),
        ("AdrianaLima", "Adriana_Lima"),
        ("Zhang Ziyi", "Ziyi_Zhang"),
        ("Penélope Cruz", "Penelope_Cruz"),
        ("Zoe\u0308 Saldana", "Zo\u00eb_Saldana"),
        ("Ole Gunnar Solskjær", "ole_gunnar_solskjaer"),
        ("Mads Østergård", "mads_ostergard"),
        ("Günter Strauß", "gunter_strauss"),
        ("robert_de_niro", "Robert_DeNiro"),
        ("Shaquille O'Neal", "shaquille_oneal"),
        ("George W. Bush", "George_Bush"),
        ("robin_williams", "Robin_McLaurin_Williams"),
        ("Brad_Pitt_0001", "brad pitt"),
        ("Brad Pitt 2", "brad pitt"),
        ("Eminem", "eminem"),
        ("Мария Шарапова", "мария_шарапова"),
    ],
)
def test_one_name_in_two_spellings(name: str, other: str) -> None:
    assert same_names([name, "Somebody Else"], ["Nobody", other]) == {name: (other,)}
    assert same_names([other], [name]) == {other: (name,)}


@pytest.mark.parametrize(
    ("name", "other"),
    [
        ("Serena Williams", "Robin Williams"),
        ("Michael Jordan", "Michael Moore"),
        ("Ana", "Ana Ruiz"),
        ("0000045", "0000045"),
        ("n000123", "n000123"),
        ("", ""),
        ("A B", "A B"),
    ],
)
def test_two_names(name: str, other: str) -> None:
    assert same_names([name], [other]) == {}


def test_several_are_called_alike() -> None:
    assert same_names(["ana ruiz"], ["Ana_Ruiz", "Bo_Li", "Ruiz, Ana"]) == {"ana ruiz": ("Ana_Ruiz", "Ruiz, Ana")}


def test_a_word_of_all_names_is_a_label() -> None:
    people = ["pins_Ana Ruiz", "pins_Bo Li", "pins_Cy Ott", "pins_Di Ray", "pins_Ed Fox"]
    assert same_names(people, ["Bo_Li", "Pins"]) == {"pins_Bo Li": ("Bo_Li",)}
    numbered = [f"person-{number:04d}" for number in range(5)]
    assert same_names(numbered, numbered) == {}
    sisters = ["Venus Williams", "Serena Williams"]  # too few to take the word for a label
    assert same_names(sisters, ["Serena Lee"]) == {}
