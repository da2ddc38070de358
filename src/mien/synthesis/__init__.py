"""Wing: people who don't exist, for a demo, tests and training without anyone's biometric data."""

from mien.synthesis.basis import load_card
from mien.synthesis.generating import Manifest, generate
from mien.synthesis.nuisances import Nuisances
from mien.synthesis.population import Person, Population, SyntheticPhoto

__all__ = ["Manifest", "Nuisances", "Person", "Population", "SyntheticPhoto", "generate", "load_card"]
