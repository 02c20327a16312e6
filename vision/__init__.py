"""The arithmetic stages share: preprocessing, head cut, contract rules (numpy and onnx only)."""
