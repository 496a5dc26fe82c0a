"""What a user is told: which operation, which shapes, and what to write instead."""

import copy

import numpy as np
import pytest

from micrograd_nn import CycleError, Tensor, Value, gradients, jacobian
from micrograd_nn import functional as F
from micrograd_nn.nn import Layer, Module, Sequential
from micrograd_nn.op import REGISTRY, Op


def refused(call, error, *parts):
    with pytest.raises(error) as caught:
        call()
    for part in parts:
        assert part in str(caught.value)


A, B = Tensor(np.ones((2, 3)), requires_grad=True, name="A"), Tensor(np.ones((4, 5)), requires_grad=True, name="B")


@pytest.mark.parametrize(
    ("call", "op"),
    [
        (lambda: A + B, "add"), (lambda: A * B, "mul"), (lambda: A - np.ones((4, 5)), "sub"),
        (lambda: np.ones((2, 3)) / B, "div"),
        (lambda: A**B, "pow"), (lambda: A @ B, "matmul"), (lambda: np.matmul(A, B), "matmul"),
        (lambda: np.dot(A, B), "matmul"),
        (lambda: F.maximum(A, B), "maximum"), (lambda: F.where(True, A, B), "where"),
        (lambda: np.concatenate([A, B]), "concatenate"), (lambda: np.stack([A, B]), "stack"),
        (lambda: np.tensordot(A, B, 1), "tensordot"), (lambda: np.inner(A, B), "tensordot"),
        (lambda: np.einsum("ij,jk->ik", A, B), "einsum"), (lambda: F.mse_loss(A, B), "mse_loss"),
    ],
)  # fmt: skip
def test_shapes_that_do_not_fit(call, op):
    refused(call, ValueError, op, "(2, 3)" if op != "tensordot" else "shape", "(4, 5)")


def test_what_helps_is_said():
    refused(lambda: A + B, ValueError, "one of the two sizes 1", "reshape or expand_dims")
    refused(lambda: A @ B, ValueError, ".T?")
    refused(lambda: A.reshape(4, 2), ValueError, "reshape", "(2, 3)", "(4, 2)")
    refused(lambda: A.sum(axis=2), ValueError, "sum", "(2, 3)", "axis=2")
    refused(lambda: A[5], IndexError, "getitem", "(2, 3)", "5")
    refused(lambda: F.einsum("ijk->i", A), ValueError, "'ijk' names 3 axes", "(2, 3)")
    refused(lambda: F.einsum("ij,jk->ik", A), ValueError, "1 operands", "2 terms")


def test_backward_starts_from_one_number():
    for call in (A.backward, lambda: gradients(A)):
        refused(call, ValueError, "single number", "A has shape (2, 3)", ".sum()", "backward(gradient)")
    refused(lambda: (A * 2).backward(np.ones(3)), ValueError, "needs shape (2, 3)", "got (3,)")
    refused(lambda: (A * 2).backward(Tensor(np.ones((2, 3)))), TypeError, ".numpy()")
    refused(lambda: Value(1.0).backward("one"), TypeError, "one real number")


def test_backward_with_nothing_to_find():
    refused(
        lambda: (Tensor([1.0]) * 2).sum().backward(),
        ValueError,
        "requires a gradient",
        "requires_grad=True",
        "no_grad()",
    )
    refused(Tensor(1.0).backward, ValueError, "requires a gradient")


def test_a_part_of_a_tensor_cannot_be_assigned():
    def assign():
        A[0] = 1.0

    refused(assign, TypeError, "A cannot be changed in part", "F.where", "concatenate", "t.data")


@pytest.mark.parametrize("data", [1j, [1j, 2], np.array([1 + 0j]), np.complex128(2)], ids=str)
def test_complex_numbers_are_refused(data):
    refused(lambda: Tensor(data), TypeError, "real numbers, not complex", ".real")
    refused(lambda: A + data, TypeError, "real number", "complex")
    if np.ndim(data) == 0:
        refused(lambda: Value(data), TypeError, "complex", ".real")
        refused(lambda: Value(1.0) * data, TypeError, "complex")


@pytest.mark.parametrize(
    ("data", "what"),
    [("one", "text"), (["a", "b"], "text"), (b"one", "bytes"), (None, "objects"), ({}, "objects"),
     ([None, 1], "objects"),
     (np.array([1, None]), "objects"), (np.array("2020-01-01", dtype="datetime64[D]"), "datetime64")],
)  # fmt: skip
def test_text_and_objects_are_refused(data, what):
    refused(lambda: Tensor(data), TypeError, "real numbers", what, "astype(float)")
    refused(lambda: A + data if not isinstance(data, np.ndarray) else Tensor(data), TypeError, what)
    if np.ndim(data) == 0:
        refused(lambda: Value(data), TypeError, "one real number")
        refused(lambda: Value(1.0) + data, TypeError)


def test_values_hold_one_number():
    refused(lambda: Value([1.0, 2.0]), TypeError, "use Tensor")
    refused(lambda: Value(np.ones(3)), TypeError, "use Tensor")
    refused(lambda: Value(Value(1.0, name="w")), TypeError, "w", ".item()")
    numbers = [1.0]
    refused(lambda: Value(1.0) + numbers, TypeError, "add", "list", "Tensor")
    assert Value(2).data == Value(np.float32(2)).data == Value(np.array(2)).data == Value(True).data + 1 == 2.0
    assert type(Value(2).data) is float


def test_tensors_are_not_made_of_nodes():
    for data in (A, [Value(1.0), 2.0], [[1.0, Value(2.0)]], Value(1.0)):
        refused(lambda data=data: Tensor(data), TypeError, "np.stack", ".numpy()")


def test_ragged_rows():
    refused(lambda: Tensor([[1.0], [1.0, 2.0]]), ValueError, "rows")


def test_types_that_cannot_carry_a_gradient():
    refused(lambda: Tensor([1, 2], dtype=int), TypeError, "int64", "float64")
    refused(lambda: A.astype(np.int32), TypeError, "int32")


def test_a_computed_value_cannot_be_assigned():
    for node in (Value(1.0, name="a") * 2, A * 2):

        def assign(node=node):
            node.data = node.data

        refused(assign, AttributeError, "computed by `mul`", "leaf")
        refused(lambda node=node: setattr(node, "requires_grad", False), AttributeError, "only a leaf")
    with pytest.raises(ValueError, match="read-only"):
        (A * 2).data[0] = 1.0
    with pytest.raises(ValueError, match="read-only"):
        A.T.data[0] = 1.0
    assert A.data.flags.writeable


def test_data_of_another_shape():
    refused(lambda: setattr(A, "data", np.ones(3)), ValueError, "A has shape (2, 3)", "(3,)")


def test_item_len_and_index():
    refused(A.item, ValueError, "one number", "(2, 3)", ".numpy()")
    refused(lambda: len(Tensor(1.0)), TypeError, "no len()")
    refused(lambda: A[Tensor([0.0])], TypeError, "an index must be plain", ".numpy()")
    refused(lambda: A[1.5], (IndexError, TypeError), "getitem")


def test_losses_say_what_they_take():
    scores = Tensor(np.zeros((2, 3)), requires_grad=True)
    refused(lambda: F.cross_entropy(scores, [0.0, 1.0]), TypeError, "y.astype(int)")
    refused(lambda: F.cross_entropy(scores, [0.5, 1.0]), TypeError, "integer labels 0 ... 2")
    refused(lambda: F.cross_entropy(scores, [0, 3]), ValueError, "0 ... 2", "go from 0 to 3")
    refused(lambda: F.cross_entropy(scores, [0, -1]), ValueError, "from -1")
    refused(lambda: F.cross_entropy(scores, [0, 1, 2]), ValueError, "(2, 3)", "(3,)")
    refused(lambda: F.mse_loss(np.ones((2, 1)), np.ones(2)), ValueError, "(2, 1)", "(2,)", "reshape")
    refused(lambda: F.hinge_loss(np.ones(2), [0, 1]), ValueError, "-1 and +1", "2 * y - 1")
    refused(lambda: F.hinge_loss(np.ones((2, 2)), [1, 1]), ValueError, "(2, 2)", "(2,)")
    refused(lambda: F.mse_loss(A, A, "median"), ValueError, "'mean', 'sum' or 'none'", "'median'")
    assert F.cross_entropy(np.zeros(4), 2) == pytest.approx(np.log(4))
    assert F.hinge_loss(np.array([[0.5], [2.0]]), [1, -1]) == pytest.approx((0.5 + 3) / 2)


def test_rules_there_are_not():
    refused(lambda: F.norm(A, 3), ValueError, "ord=3", "1, 2 or inf")
    refused(lambda: F.pad(A, 1, mode="linear_ramp"), ValueError, "linear_ramp", "edge")
    refused(lambda: F.diag(np.ones((2, 2, 2))), ValueError, "(2, 2, 2)")


def test_nothing_to_join():
    refused(lambda: F.concatenate([]), ValueError, "concatenate", "at least one")
    refused(lambda: F.stack([]), ValueError, "stack", "at least one")
    refused(lambda: np.einsum(A, [0, 1]), TypeError, "einsum", "as text")


def test_a_cycle_error_is_a_value_error():
    assert issubclass(CycleError, ValueError)


def test_reading_aloud():
    assert repr(Value(2.0, name="a")) == "Value(2.0, name='a')"
    assert repr(Value(2.0) * 3) == "Value(6.0, op=mul)"
    assert repr(Tensor([1.0, 2.0], requires_grad=True)) == "Tensor([1., 2.], requires_grad=True)"
    assert "float32" in repr(Tensor(np.float32([1])))
    assert repr(F.exp) == "<op exp>"


def test_jacobian_of_nothing_said_wrong():
    refused(lambda: jacobian(lambda x: x, argnum=2)(1.0), TypeError, "argnum=2", "1 were given")


def op(rule):
    made = Op("test_own", lambda a: a * 2.0, rule)
    del REGISTRY["test_own"]
    return made


def test_an_error_in_a_rule_names_the_operation_and_the_module():
    class Twice(Module):
        def forward(self, x):
            return op(lambda g, out, a: g @ np.ones((7, 7)))(x)

    x = Tensor(np.ones((2, 3)), requires_grad=True)
    x.grad = before = np.zeros((2, 3))
    with pytest.raises(ValueError, match="matmul") as caught:
        F.sum(Sequential(Twice())(x) * 3).backward()
    assert caught.value.__notes__ == ["This is from the backward rule of `test_own` in layers[0]."]
    assert x.grad is before


def test_a_gradient_of_another_shape_is_refused_where_only_its_size_fits():
    x = Tensor(np.ones((2, 3)), requires_grad=True)
    for other in (lambda g: g.T, lambda g: g.reshape(6), lambda g: g[:, :2], lambda g: g[0]):
        with pytest.raises(ValueError, match=r"a rule gave a gradient of shape .* for an input of shape \(2, 3\)"):
            F.sum(op(lambda g, out, a, other=other: other(g))(x) * 3).backward()


def test_a_module_that_keeps_an_operation_can_be_copied():
    own = op(lambda g, out, a: g * 2.0)
    assert copy.deepcopy(Layer(2, 2, own)).act is own
