"""The fourth reading of a derivative rule: fed symbols, it writes itself down as a formula."""

from __future__ import annotations

import operator
from typing import Any

__all__ = ["Symbol"]

SUM, PRODUCT, SIGN, POWER, ATOM = range(5)  # how tightly a formula holds together
INFIX: dict[str, Any] = {
    "add": operator.add, "subtract": operator.sub, "multiply": operator.mul, "divide": operator.truediv,
    "matmul": operator.matmul, "negative": operator.neg, "power": operator.pow, "absolute": operator.abs,
}  # fmt: skip
_SUPERSCRIPT = str.maketrans("−0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


class Symbol:
    """A piece of formula, with the brackets it needs and no others.

    >>> a, b = Symbol("a"), Symbol("b")
    >>> str((a + b) * a - b * 2)
    '(a + b)·a − b·2'
    """

    def __init__(self, text: str, bond: int = ATOM, shape: tuple[int, ...] = ()) -> None:
        self.text, self.bond, self.shape = text, bond, shape

    ndim = property(lambda self: len(self.shape))
    dtype = "float64"

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **_: Any) -> Symbol:
        """NumPy's functions in a rule, and `array * symbol`."""
        symbols = [write(x) for x in inputs]
        if ufunc.__name__ in INFIX:
            found: Symbol = INFIX[ufunc.__name__](*symbols)
            return found
        return Symbol(f"{ufunc.__name__}({', '.join(s.text for s in symbols)})", shape=self.shape)

    def __str__(self) -> str:
        return self.text

    def held(self, bond: int) -> str:
        return self.text if self.bond >= bond else f"({self.text})"

    def _join(self, other: Any, sign: str, bond: int, strict: bool = False, swap: bool = False) -> Symbol:
        left, right = (write(other), self) if swap else (self, write(other))
        tight = ATOM if right.text.startswith("−") else bond + strict
        return Symbol(left.held(bond) + sign + right.held(tight), bond, self.shape)

    def __add__(self, other: Any) -> Symbol:
        return self._join(other, " + ", SUM)

    def __radd__(self, other: Any) -> Symbol:
        return self._join(other, " + ", SUM, swap=True)

    def __sub__(self, other: Any) -> Symbol:
        return self._join(other, " − ", SUM, strict=True)

    def __rsub__(self, other: Any) -> Symbol:
        return self._join(other, " − ", SUM, strict=True, swap=True)

    def __mul__(self, other: Any) -> Symbol:
        if isinstance(other, Symbol) and other.text == self.text and self.bond == ATOM:
            return self**2
        return self._join(other, "·", PRODUCT)

    def __rmul__(self, other: Any) -> Symbol:
        return self._join(other, "·", PRODUCT, swap=True)

    def __truediv__(self, other: Any) -> Symbol:
        return self._join(other, " / ", PRODUCT, strict=True)

    def __rtruediv__(self, other: Any) -> Symbol:
        return self._join(other, " / ", PRODUCT, strict=True, swap=True)

    def __matmul__(self, other: Any) -> Symbol:
        return self._join(other, " @ ", PRODUCT, strict=True)

    def __neg__(self) -> Symbol:
        return Symbol("−" + self.held(PRODUCT), SIGN - 1, self.shape)

    def __abs__(self) -> Symbol:
        return Symbol(f"|{self.text}|", ATOM, self.shape)

    def __pow__(self, power: Any) -> Symbol:
        right = write(power)
        if right.text == "1":
            return self
        if right.text.removeprefix("−").isdigit():
            return Symbol(self.held(ATOM) + right.text.translate(_SUPERSCRIPT), POWER, self.shape)
        return Symbol(f"{self.held(ATOM)}^{right.held(ATOM)}", POWER, self.shape)

    def _compare(self, other: Any, sign: str) -> Symbol:
        return Symbol(f"[{self.text} {sign} {write(other).text}]", ATOM, self.shape)

    def __gt__(self, other: Any) -> Symbol:
        return self._compare(other, ">")

    def __ge__(self, other: Any) -> Symbol:
        return self._compare(other, "≥")

    def __lt__(self, other: Any) -> Symbol:
        return self._compare(other, "<")

    def __le__(self, other: Any) -> Symbol:
        return self._compare(other, "≤")

    def __eq__(self, other: object) -> Symbol:  # type: ignore[override]
        return self._compare(other, "=")

    def __ne__(self, other: object) -> bool:
        return True  # rules set the one exceptional number apart with it; a formula shows the general case

    __hash__ = object.__hash__


class Number(Symbol):
    """A constant in a formula. What plain numbers give is worked out: the slope of x³ is 3·x², not 3·x^(3 − 1)."""

    def __init__(self, x: float) -> None:
        super().__init__(f"{x:.4g}".replace("-", "−"), ATOM if x >= 0 else PRODUCT)
        self.x = x

    def __add__(self, other: Any) -> Symbol:
        return write(self.x + other) if isinstance(other, (int, float)) else super().__add__(other)

    def __sub__(self, other: Any) -> Symbol:
        return write(self.x - other) if isinstance(other, (int, float)) else super().__sub__(other)

    def __eq__(self, other: object) -> Any:
        return self.x == other if isinstance(other, (int, float)) else super().__eq__(other)

    __hash__ = object.__hash__


def write(x: Any) -> Symbol:
    """Anything a formula may hold, as a symbol: numbers in four digits, arrays by their shape."""
    if isinstance(x, Symbol):
        return x
    if isinstance(x, (int, float)):
        return Number(x)
    shape = getattr(x, "shape", ())
    return Symbol(f"array{list(shape)}" if shape else str(x), ATOM, shape)
