"""Functions that take a whole matrix: inverses, determinants, factors, diagonals."""

from __future__ import annotations

from pruning.analysis.layer_rules._flow import frozen

_OPERATIONS = (
    "Cholesky CholeskyInverse Det Eig Eigh Inv LuFactor Qr Solve SolveTriangular SVD Lstsq "
    "MatrixRank Pinv Logdet Slogdet Diag Diagonal Diagflat Trace Corrcoef Outer Kron"
)
_SYMBOLS = (
    "cholesky cholesky_solve det eigh eigvalsh expm inv logdet lstsq lu matrix_rank pinv qr solve "
    "sqrtm svd trace triangular_solve diag diag_part set_diag slogdet"
)

RULE = frozen(
    "matrices",
    "It takes its values for whole matrices: without a row or a column all of them would change.",
    (
        *(f"ops.{name}" for name in _OPERATIONS.split()),
        *(f"tf.linalg.{name}" for name in _SYMBOLS.split()),
    ),
)
