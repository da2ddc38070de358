"""Names for people who don't exist, so that a page about them reads well."""

NAMES = (
    "Adaeze", "Amir", "Anahera", "Anders", "Aroha", "Asel", "Aylin", "Bao", "Beatriz", "Bilal", "Carmen", "Chidi",
    "Dalia", "Davor", "Ebele", "Eero", "Elena", "Emeka", "Farah", "Freya", "Gael", "Goran", "Hana", "Hinemoa",
    "Ines", "Ivo", "Jamila", "Jun", "Kaito", "Kalani", "Katya", "Kofi", "Leilani", "Liam", "Lucia", "Mateo",
    "Meera", "Milan", "Naira", "Nia", "Noor", "Oksana", "Omar", "Paula", "Quang", "Rania", "Ravi", "Rosa", "Samir",
    "Sanna", "Sofia", "Tane", "Teresa", "Thandi", "Tomas", "Uma", "Valentin", "Wanjiru", "Yara", "Yusuf", "Zofia",
)  # fmt: skip


def name_of(number: int, seed: int) -> str:
    """The name of a person: the list in another order for each seed, then again with a number behind."""
    step = 7  # prime to the list's length
    first = NAMES[(number * step + seed * 13) % len(NAMES)]
    return first if number < len(NAMES) else f"{first} {number // len(NAMES) + 1}"
