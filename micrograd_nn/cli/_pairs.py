"""What a user's file has to check, by the names in it: forward and backward passes, derivatives, layers, functions."""

from __future__ import annotations

import ast
import copy
import difflib
import functools
import inspect
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from micrograd_nn.checking import GradcheckReport, check_backward, gradcheck
from micrograd_nn.cli._user_file import UserFile
from micrograd_nn.data import DataError
from micrograd_nn.nn import Module
from micrograd_nn.op import Op

__all__ = ["Subject", "everything", "shapes", "subject"]

DERIVATIVES = ("{}_grad", "{}_prime", "{}_derivative", "d{}", "d_{}")
GRADIENTS = ("d{}", "d_{}", "grad_{}", "{}_grad")  # of an array that a layer keeps
USUAL = (4, 3)
LIKELY = {"w": "(3, 5)", "b": "(5,)", "y": "[0, 2, 1, 1]", "t": "[0, 2, 1, 1]"}  # by what a parameter is called


@dataclass
class Held:
    """An argument that is a setting: nothing in it is moved, and what user code does to it is soon forgotten."""

    value: Any


@dataclass
class Subject:
    """Something to check: `name` is short for it, and says what its inputs are called; `forward` says what they are."""

    file: UserFile
    name: str
    forward: Any
    backward: Any = None
    derivative: bool = False
    also: list[str] = field(default_factory=list)  # what to say besides

    @property
    def where(self) -> str:
        return f"{self.file.shown}::{self.name}"

    def check(self, given: str | None, seed: int, options: dict[str, Any]) -> GradcheckReport:
        """Check it, at the inputs that are `given` in the words of --inputs, or those that its file has for it.

        Raises DataError where that cannot be done, or the user's code raises anything.
        """
        options = options | {"rng": seed, "raise_on_error": False}
        with self.file.running(self.name):
            inputs = self.inputs(given, np.random.default_rng(seed))
        try:
            with self.file.running(self.name):
                return self._check(inputs, options)
        except DataError as error:
            raise DataError(f"{error} ({', '.join(self.also)})" if self.also else str(error)) from None

    def _check(self, inputs: list[Any], options: dict[str, Any]) -> GradcheckReport:
        forward, backward = self.forward, self.backward
        if isinstance(forward, (Module, Op)):
            return gradcheck(forward, *_opened(inputs), **options)
        if is_layer(forward):
            forward, backward, inputs = self._layer(forward, inputs)
        out, error, tried = None, None, copy.deepcopy(inputs)
        try:
            out = opened(forward)(*tried)  # what is wrong with the call itself comes to light here
        except Exception as raised:
            error = raised
        if backward is None and isinstance(out, tuple) and len(out) == 2 and is_number(out[0]):
            forward, backward, inputs = self._loss(forward, out[1], inputs)
        if backward is None and uses_engine(self.file):
            self.also.append(f"{self.name} has no backward pass of its own: this checks the one of micrograd_nn.")
            return gradcheck(opened(forward) if _held(inputs) else forward, *inputs, **options)
        if error is not None:
            raise error
        if backward is None:
            raise DataError(
                f"{self.where} has no backward pass: write {self.name}_backward(grad_output, ...) beside it, or let it "
                f"return (loss, gradient){_near(self.file, f'{self.name}_backward') or '.'}"
            )
        if options.pop("order") > 1:
            raise DataError(
                f"{self.where}: --order is for nodes: a backward pass by hand has no derivative of its own."
            )
        cache = isinstance(out, tuple) and len(out) == 2 and takes_cache(backward, forward, out[1] is tried[0])
        if self.derivative and not cache and len(required(backward)) == len(required(forward)):
            backward = chained(backward)
        return check_backward(opened(forward), opened(backward), *inputs, cache=cache, **options)

    def inputs(self, given: str | None, rng: np.random.Generator) -> list[Any]:
        """The arguments, in order, settings as `Held`."""
        source = "--inputs"
        if given is not None:
            positional, named = shapes(given, rng)
        else:
            own = [n for n in self._called() if n in self.file.names]
            if not own:
                return self._usual(rng)
            source = own[0]
            found = self.file.names[source]
            positional, named = _arguments(found() if callable(found) else found)
        parameters = _parameters(self.forward)
        if parameters is None:  # an Op, or a function that says nothing of its parameters
            if named:
                raise DataError(f"{self.where} knows no names of inputs: give them in order.")
            return [Held(x) if isinstance(x, dict) else x for x in positional]
        try:
            bound = inspect.Signature(parameters).bind(*positional, **named)
        except TypeError as error:
            takes = ", ".join(map(str, parameters))
            raise DataError(f"{self.where} takes ({takes}), and {source} does not fit that: {error}.") from None
        arguments = bound.arguments
        last = max((i for i, p in enumerate(parameters) if p.name in arguments), default=-1)
        values: list[Any] = []
        for p in parameters[: last + 1]:
            if p.kind is p.KEYWORD_ONLY or p.kind is p.VAR_KEYWORD:
                if p.name in arguments:
                    self._fix(p, arguments[p.name])
            elif p.kind is p.VAR_POSITIONAL:
                values += arguments.get(p.name, ())
            elif p.name not in arguments:
                values.append(Held(p.default))
            else:
                x = arguments[p.name]
                setting = isinstance(x, dict) or (p.name in named and p.default is not p.empty and is_number(x))
                values.append(Held(x) if setting else x)
        return values

    def _fix(self, p: inspect.Parameter, value: Any) -> None:
        """Arguments that go by name only are settings."""
        self.forward = functools.partial(self.forward, **(value if p.kind is p.VAR_KEYWORD else {p.name: value}))

    def _called(self) -> list[str]:
        """What the inputs may be called."""
        names = [self.name, getattr(self.forward, "__name__", self.name)]
        return [f"{n}_inputs" for n in dict.fromkeys(names)] + (["inputs"] if self.name == "forward" else [])

    def _usual(self, rng: np.random.Generator) -> list[Any]:
        """Normal numbers for what takes one array."""
        wanted = required(self.forward)
        if len(wanted) == 1:
            self.also.append(f"{wanted[0]} is normal numbers of shape {USUAL}: {self._called()[0]} can say otherwise.")
            return [rng.standard_normal(USUAL)]
        if not wanted:
            raise DataError(f"{self.where} takes no inputs: there is nothing to check.")
        example = ", ".join(f"{n}={'{...}' if n.endswith('param') else LIKELY.get(n.lower(), USUAL)}" for n in wanted)
        raise DataError(
            f"{self.where} needs inputs: write  {self._called()[0]} = ({', '.join(wanted)})  in the file, made of "
            f'arrays, or give shapes: --inputs "{example}"'
        )

    def _loss(self, forward: Any, gradients: Any, inputs: list[Any]) -> tuple[Any, Any, list[Any]]:
        """The two halves of a function that gives (loss, gradient); what it gives no gradient for is a setting."""
        names = [p.name for p in _parameters(forward) or ()]
        pick: Callable[[Any], list[Any]]
        if isinstance(gradients, dict):
            keys = {n: k for n in names for k in (n, f"d{n}") if k in gradients}
            strange = [k for k in gradients if k not in keys.values()]
            if strange:
                raise DataError(f"{self.where} returns a gradient for {strange[0]!r}, and has no input of that name.")
            moved = [i for i, n in enumerate(names[: len(inputs)]) if n in keys]
            pick = lambda found: [found[keys[names[i]]] for i in moved]
        else:
            numbers = isinstance(gradients, list) and all(map(is_number, gradients))
            many = isinstance(gradients, (tuple, list)) and not numbers
            moved = list(range(len(gradients) if many else 1))
            pick = lambda found: list(found) if many else [found]
        without = [n for i, (n, x) in enumerate(zip(names, inputs)) if i not in moved and is_floats(x)]
        if without:
            self.also.append(f"Not checked: {', '.join(without)} ({self.name} returns no gradient of it).")
        inputs = [x if i in moved or isinstance(x, Held) else Held(x) for i, x in enumerate(inputs)]

        def backward(grad_output: Any, *arguments: Any) -> Any:
            shares = iter(pick(forward(*arguments)[1]))
            return tuple(scaled(grad_output, next(shares)) if i in moved else None for i in range(len(arguments)))

        @functools.wraps(forward)
        def loss(*arguments: Any) -> Any:
            return forward(*arguments)[0]

        return loss, backward, inputs

    def _layer(self, layer: Any, inputs: list[Any]) -> tuple[Any, Any, list[Any]]:
        """The two passes of an object with `forward` and `backward`, as functions of its inputs and its arrays."""
        trial = copy.deepcopy(layer)
        out = trial.forward(*_opened(copy.deepcopy(inputs)))
        trial.backward(np.ones_like(out) if isinstance(out, np.ndarray) else 1.0)
        arrays = {n: a for n, a in vars(layer).items() if is_floats(a)}
        keys = {n: g for n in arrays for g in (p.format(n) for p in GRADIENTS) if g in vars(trial)}
        without = [n for n in arrays if n not in keys and n not in keys.values()]
        if without:
            self.also.append(f"Not checked: {', '.join(without)} of {self.name} (no gradient in d{without[0]}).")
        count = len(inputs)

        def twin(arguments: Sequence[Any]) -> tuple[Any, Any]:
            own = copy.deepcopy(layer)
            for n, a in zip(keys, arguments[count:], strict=True):
                setattr(own, n, a)
            return own, own.forward(*arguments[:count])

        def forward(*arguments: Any) -> Any:
            return twin(arguments)[1]

        def backward(grad_output: Any, *arguments: Any) -> Any:
            own, _ = twin(arguments)
            found: Any = own.backward(grad_output)
            return (*(found if isinstance(found, tuple) else (found,)), *(getattr(own, g) for g in keys.values()))

        names = [p.name for p in _parameters(layer) or ()][:count]
        names += [f"x{i}" for i in range(len(names), count)]
        kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
        forward.__name__, backward.__name__ = self.name, f"{self.name}.backward"
        forward.__signature__ = inspect.Signature([inspect.Parameter(n, kind) for n in (*names, *keys)])  # type: ignore[attr-defined]
        return forward, backward, inputs + [arrays[n] for n in keys]


def subject(file: UserFile, name: str) -> Subject:
    """What `name` stands for in the file. Raises DataError where there is no such thing, or half of it is missing."""
    stem = _stem(file, name)
    backward = _half(file, stem, "backward")
    forward = _half(file, stem, "forward") or (stem if stem in file.names else None)
    if forward is None and backward is not None:
        missing = "forward".join(backward.rsplit("backward", 1))
        raise DataError(f"{file.shown}::{backward} has no {missing} beside it{_near(file, missing) or '.'}")
    if forward is None:
        there = everything(file)
        listed = f": there {'is' if len(there) == 1 else 'are'} {', '.join(there[:8])}." if there else "."
        raise DataError(f"{file.shown} has no function {name!r}{_near(file, name, there) or listed}")
    derivative = next((n for n in _derivatives(stem, forward) if callable(file.names.get(n))), None)
    found = Subject(file, stem or "forward", file.names[forward])
    partner = backward or derivative
    if partner is not None:
        found.backward, found.derivative = file.names[partner], backward is None
    elif forward != stem:
        missing = "backward".join(forward.rsplit("forward", 1))
        raise DataError(f"{file.shown}::{forward} has no {missing} beside it{_near(file, missing) or '.'}")
    if inspect.isclass(found.forward) and backward is None:
        found.forward = _made(found)
    if not callable(found.forward) and not is_layer(found.forward):
        raise DataError(f"{found.where} is {_a(type(found.forward).__name__)}: there is nothing to check in it.")
    return found


def everything(file: UserFile) -> list[str]:
    """The names of all that the file has to check, in its own order."""
    own = {n: x for n, x in file.names.items() if getattr(x, "__module__", None) == file.module}
    functions = {n for n, x in own.items() if inspect.isfunction(x)}
    found: dict[str, None] = {}
    for name, x in file.names.items():
        if name.startswith("_") or name.endswith("_inputs"):
            continue
        given = callable(x) and f"{name}_inputs" in file.names
        if inspect.isfunction(x):
            wanted = name in functions and bool(given or _split(name)[1] or functions & {*_derivatives(name)})
        elif inspect.isclass(x):  # not one that others are made from, or that there is an object of
            wanted = name in own and is_layer(x) and not any(_is_kind(y, x) for y in own.values() if y is not x)
        elif isinstance(x, Op):
            wanted = x not in file.ops
        else:
            wanted = given or isinstance(x, Module) or (is_layer(x) and name in own)
        if wanted:
            found[(_stem(file, name) or "forward") if name in functions else name] = None
    return list(found)


def _is_kind(x: Any, kind: type) -> bool:
    """Is it an object of this class, or a class made from it?"""
    return issubclass(x, kind) if inspect.isclass(x) else isinstance(x, kind)


def _split(name: str) -> tuple[str, str]:
    """A name without the word forward or backward in it, and that word.

    >>> _split("conv_forward_naive"), _split("backward"), _split("affine")
    (('conv_naive', 'forward'), ('', 'backward'), ('affine', ''))
    """
    words = name.split("_")
    half = next((h for h in ("forward", "backward") if h in words), "")
    if half:
        words.remove(half)
    return "_".join(words), half


def _half(file: UserFile, stem: str, half: str) -> str | None:
    """The name of this half of a pair."""
    return next((n for n, x in file.names.items() if callable(x) and _split(n) == (stem, half)), None)


def _derivatives(*names: str) -> Iterator[str]:
    yield from (p.format(n) for n in dict.fromkeys(names) if n for p in DERIVATIVES)


def _stem(file: UserFile, name: str) -> str:
    """`affine` for affine_forward, affine_backward and affine; "" for a forward and a backward without a name."""
    stem, half = _split(name)
    if half:
        return stem
    for short, x in file.names.items():
        if callable(x) and name in _derivatives(short):
            return short
    return name


def _near(file: UserFile, name: str, more: Sequence[str] = ()) -> str:
    known = [*more, *(n for n, x in file.names.items() if callable(x) and not n.startswith("__"))]
    near = difflib.get_close_matches(name, [n for n in known if n != name], n=1, cutoff=0.8)
    return f": did you mean {near[0]}?" if near else ""


def _made(found: Subject) -> Any:
    """An object of a class that can be made without arguments."""
    kind = found.forward
    if not (is_layer(kind) or issubclass(kind, Module)):
        raise DataError(f"{found.where} is a class without forward and backward methods.")
    if required(kind):
        wanted = ", ".join(required(kind))
        raise DataError(f"{found.where}({wanted}) needs arguments: make one in the file, and give its name.")
    with found.file.running(found.name):
        made: Any = kind()
    return made


def _a(word: str) -> str:
    return f"{'an' if word[0].lower() in 'aeiou' else 'a'} {word}"


def is_layer(x: Any) -> bool:
    """Has it a forward and a backward method?"""
    return (
        not isinstance(x, Module) and callable(getattr(x, "forward", None)) and callable(getattr(x, "backward", None))
    )


def is_number(x: Any) -> bool:
    """Is it one number, and neither a bool nor a node?"""
    if isinstance(x, np.ndarray):
        return x.ndim == 0
    return isinstance(x, (int, float, np.number)) and not isinstance(x, bool)


def is_floats(x: Any) -> bool:
    """Is it an array of floats?"""
    return isinstance(x, np.ndarray) and x.dtype.kind == "f"


def uses_engine(file: UserFile) -> bool:
    """Does the file import micrograd_nn?"""
    found = (getattr(x, "__module__", None) or getattr(x, "__name__", None) for x in file.names.values())
    return any(isinstance(name, str) and name.partition(".")[0] == "micrograd_nn" for name in found)


def _parameters(f: Any) -> list[inspect.Parameter] | None:
    if isinstance(f, Op):
        return None
    try:
        return list(inspect.signature(f.forward if is_layer(f) or isinstance(f, Module) else f).parameters.values())
    except (TypeError, ValueError):
        return None


def required(f: Any) -> list[str]:
    """The parameters that have to be given."""
    if isinstance(f, Op):
        return [f"x{i}" if len(f.rules) > 1 else "x" for i in range(len(f.rules))]
    fixed = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    if inspect.isclass(f):
        try:
            parameters = list(inspect.signature(f).parameters.values())
        except (TypeError, ValueError):
            parameters = []
    else:
        parameters = _parameters(f) or []
    return [p.name for p in parameters if p.kind in fixed and p.default is p.empty]


def takes_cache(backward: Any, forward: Any, kept: bool) -> bool:
    """Is the second of two parameters a cache? Named like the only input, it is one where that was `kept` as it is."""
    parameters = _parameters(backward) or []
    names = [p.name for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    return len(required(backward)) <= 2 <= len(names) and (kept or [names[1]] != required(forward))


def scaled(grad_output: Any, share: Any) -> Any:
    return None if share is None else np.multiply(grad_output, share)


def chained(derivative: Callable[..., Any]) -> Callable[..., Any]:
    """A backward pass out of a derivative at the same inputs, by the chain rule."""

    @functools.wraps(derivative)
    def backward(grad_output: Any, *inputs: Any) -> Any:
        found = derivative(*inputs)
        if isinstance(found, tuple) or (isinstance(found, list) and len(inputs) > 1):
            return tuple(scaled(grad_output, share) for share in found)
        return scaled(grad_output, found)

    kind = inspect.Parameter
    backward.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
        [kind("grad_output", kind.POSITIONAL_ONLY), kind("inputs", kind.VAR_POSITIONAL)]
    )
    return backward


def _held(inputs: list[Any]) -> bool:
    return any(isinstance(x, Held) for x in inputs)


def _opened(inputs: Sequence[Any]) -> list[Any]:
    return [copy.deepcopy(x.value) if isinstance(x, Held) else x for x in inputs]


def opened(f: Callable[..., Any]) -> Callable[..., Any]:
    """`f` with settings taken out of what holds them."""

    @functools.wraps(f)
    def call(*arguments: Any) -> Any:
        return f(*_opened(arguments))

    if isinstance(f, functools.partial):
        call.__name__, call.__signature__ = getattr(f.func, "__name__", "f"), inspect.signature(f)  # type: ignore[attr-defined]
    return call


def _arguments(found: Any) -> tuple[list[Any], dict[str, Any]]:
    """What NAME_inputs holds, by place and by name."""
    if isinstance(found, dict):
        return [], dict(found)
    return (list(found), {}) if isinstance(found, (tuple, list)) else ([found], {})


def shapes(text: str, rng: np.random.Generator) -> tuple[list[Any], dict[str, Any]]:
    """The inputs that `--inputs` writes: a shape in brackets is normal numbers, a list an array, the rest itself.

    >>> shapes("x=(2, 3), y=[0, 2], stride=2", np.random.default_rng(0))[1].keys()
    dict_keys(['x', 'y', 'stride'])
    """
    wrong = f'--inputs {text!r}: write shapes, lists and numbers, as in "x=(4, 3), y=[0, 2, 1, 1], stride=2"'

    def value(node: ast.expr) -> Any:
        x = ast.literal_eval(node)
        if isinstance(x, tuple):
            if not all(isinstance(n, int) and not isinstance(n, bool) and n >= 0 for n in x):
                raise DataError(f"--inputs: {ast.unparse(node)} is no shape: a shape is whole numbers, as in (4, 3).")
            return rng.standard_normal(x)
        return np.array(x) if isinstance(x, list) else x

    try:
        call = ast.parse(f"f({text}\n)", mode="eval").body
        if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Name):
            raise DataError(f"{wrong}.")
        named = {str(k.arg): value(k.value) for k in call.keywords}
        positional = [value(a) for a in call.args]
    except DataError:
        raise
    except MemoryError:
        raise DataError(f"--inputs {text!r}: that needs more memory than there is.") from None
    except (SyntaxError, ValueError, TypeError, RecursionError):
        raise DataError(f"{wrong}.") from None
    if "None" in named:  # it was **something
        raise DataError(f"{wrong}.")
    if not any(isinstance(x, (np.ndarray, float)) for x in (*positional, *named.values())):
        raise DataError(f"--inputs {text!r}: whole numbers are settings; a shape stands in brackets, as in (4, 3).")
    return positional, named
