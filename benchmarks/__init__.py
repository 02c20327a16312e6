"""How fast edgemake is, measured against its peers. `python -m benchmarks --help` says how."""
