"""Which crops make up each batch of an epoch."""
