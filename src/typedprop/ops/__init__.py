"""The differentiable operations by family; each file is one."""
