"""One metric a file; `mien.similarity.registry` names them all."""
