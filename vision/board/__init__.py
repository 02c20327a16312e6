"""Programs handed on with a model: each is one file that imports nothing of this project."""
