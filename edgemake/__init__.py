"""The engine: how any build works. Knows no stage and no ML library."""
