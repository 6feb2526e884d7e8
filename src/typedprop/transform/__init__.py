"""Transformations of functions: gradients, vector-Jacobian and Jacobian-vector products. Each file is one."""
