"""Networks as JSON and as networkx graphs, both ways."""

import copy
import json
import math
import pickle
import warnings
from itertools import pairwise

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from test_network import networks, small

import micrograd_nn as mg
from micrograd_nn import functional as F
from micrograd_nn import nn
from micrograd_nn.nn import Network

NAMED = [*nn.ACTIVATIONS, "maxout"]


def everything(net):
    return {
        "inputs": net.inputs, "units": net.units, "outputs": net.outputs,
        "weights": {edge: net.weight_of(*edge) for edge in net.edges},
        "nodes": dict(net.to_networkx().nodes(data=True)),
    }  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(networks(NAMED))
def test_json_and_networkx_give_back_every_number_exactly(net):
    by_text = Network.from_json(net.to_json())
    assert everything(by_text) == everything(net)
    assert by_text.edges == net.edges
    for name, p in net.state_dict().items():
        np.testing.assert_array_equal(by_text.state_dict()[name], p)
    assert everything(Network.from_networkx(net.to_networkx())) == everything(net)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        X = np.random.default_rng(0).normal(size=(4, len(net.inputs)))
        np.testing.assert_array_equal(by_text(X).data, net(X).data)


@settings(max_examples=20, deadline=None)
@given(networks(NAMED))
def test_networkx_reads_what_is_written_and_its_own_files_are_read(net):
    graph = nx.node_link_graph(json.loads(net.to_json()), edges="links")
    assert dict(graph.nodes(data=True)) == dict(net.to_networkx().nodes(data=True))
    assert {(s, t): e["weight"] for s, t, e in graph.edges(data=True)} == everything(net)["weights"]
    for key in ("links", "edges"):
        again = Network.from_json(json.dumps(nx.node_link_data(net.to_networkx(), edges=key)))
        assert everything(again) == everything(net)


def test_a_file_is_written_whole_and_read_by_its_path(tmp_path):
    net = small()
    (tmp_path / "net.json.part").write_text("somebody's own")
    net.save(tmp_path / "net.json")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["net.json", "net.json.part"]
    assert (tmp_path / "net.json.part").read_text() == "somebody's own"
    path = tmp_path / "net.json"
    for source in (path, str(path), path.read_text(), json.loads(path.read_text())):
        assert everything(Network.from_json(source)) == everything(net)
    before = (tmp_path / "net.json").read_text()
    net.unit("z", F.sin, ["h1"])
    with pytest.raises(ValueError, match="the activation of unit 'z', sin, is a function of your own"):
        net.save(tmp_path / "net.json")
    assert (tmp_path / "net.json").read_text() == before
    with pytest.raises(FileNotFoundError):
        Network.from_json(tmp_path / "none.json")


def test_networkx_graphs_carry_functions_too():
    net = small()
    net.unit("z", F.sin, ["h1"])
    again = Network.from_networkx(net.to_networkx())
    X = np.ones((2, 2))
    np.testing.assert_array_equal(again(X).data, net(X).data)


def test_a_plain_graph_becomes_a_network():
    graph = nx.DiGraph([(1, 3), (2, 3), (3, 4), (2, 4)])
    net = Network.from_networkx(graph, rng=0)
    assert net.inputs == ("1", "2")
    assert net.units == ("3", "4")
    kinds = {n: d.get("activation") for n, d in net.to_networkx().nodes(data=True)}
    assert kinds == {"1": None, "2": None, "3": "relu", "4": "identity"}
    assert net(np.ones((5, 2))).shape == (5, 1)
    assert np.array_equal(net.weight.data, Network.from_networkx(graph, rng=0).weight.data)


def test_a_graph_with_a_loop_is_refused_and_the_loop_named():
    graph = nx.DiGraph([("x", "a"), ("a", "b"), ("b", "c"), ("c", "a")])
    with pytest.raises(mg.CycleError) as error:
        Network.from_networkx(graph)
    loop = error.value.loop
    assert loop[0] == loop[-1]
    assert sorted(loop[:-1]) == ["a", "b", "c"]
    assert all(graph.has_edge(s, t) for s, t in pairwise(loop))
    with pytest.raises(mg.CycleError, match=" -> ".join(loop)):
        Network.from_json(json.dumps(nx.node_link_data(graph, edges="links")))
    graph = nx.DiGraph([("x", "a"), ("a", "a")])
    with pytest.raises(mg.CycleError, match="a -> a"):
        Network.from_networkx(graph)


@pytest.mark.parametrize(
    ("graph", "error", "message"),
    [
        (nx.Graph([(1, 2)]), TypeError, "no directions: networkx.DiGraph has"),
        (nx.MultiDiGraph([(1, 2), (1, 2)]), TypeError, "parallel edges"),
        ([(1, 2)], TypeError, "takes a networkx.DiGraph, not list"),
        (nx.DiGraph([(1, 2), ("1", 2)]), ValueError, "two nodes, 1 and '1', are both called '1'"),
    ],
)
def test_what_is_no_network_is_refused(graph, error, message):
    with pytest.raises(error, match=message):
        Network.from_networkx(graph)


def changed(**changes):
    """A good file with one thing wrong."""
    found = json.loads(small().to_json())
    for path, value in changes.items():
        place, *keys = path.split("__")
        target = found
        for key in [place, *keys][:-1]:
            target = target[int(key) if key.isdigit() else key]
        last = [place, *keys][-1]
        if value is ...:
            del target[last]
        else:
            target[last] = value
    return json.dumps(found)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "this text is not JSON: "),
        ("  ", "this text is not JSON"),
        ("[1, 2]", "holds a list, and a network is an object"),
        ('{"nodes": []}', "no list of objects called 'links'"),
        ('{"links": []}', "no list of objects called 'nodes'"),
        (changed(nodes=[1]), "no list of objects called 'nodes'"),
        (changed(graph=[]), "'graph', not an object"),
        (changed(directed=False), "without directions"),
        (changed(multigraph=True), "parallel edges"),
        (changed(graph__format="a cake"), "its format is 'a cake', version 1, and what is read here is"),
        (changed(graph__version=2), "version 2, and what is read here"),
        (changed(graph__outputs="y"), "'outputs' is a list of names"),
        (changed(graph__outputs=["z"]), "named 'z'"),
        (changed(nodes__2__id=...), "a node without 'id'"),
        (changed(nodes__2__id="x1"), "two nodes, 'x1' and 'x1', are both called 'x1'"),
        (changed(nodes__0__id=""), "a node has no name"),
        (changed(nodes__2__kind="neuron"), "of kind 'neuron', and there are 'input' and 'unit'"),
        (changed(nodes__2__activation="rlu"), "unit 'h1' cannot be made: .*Did you mean 'relu'"),
        (changed(nodes__2__activation=3), "the activation of unit 'h1' is 3"),
        (changed(nodes__2__bias="big"), "the bias of 'h1' is a finite number, not 'big'"),
        (changed(nodes__2__bias=math.nan), "NaN: no finite number"),
        (changed(nodes__2__bias=None), "the bias of unit 'h1' is null"),
        (changed(links__0__weight=None), "the weight of x1 -> h1 is null"),
        (changed(nodes__2__pieces=3), "pieces are for maxout"),
        (changed(nodes__0__kind="unit", nodes__0__slope=1.0), "a slope is for prelu"),
        (changed(links__0__source=...), "a link without 'source'"),
        (changed(links__0__source="x9"), "a link leads from 'x9' to 'h1', and there is no node 'x9'"),
        (changed(links__0__target="x2"), "'x2' is an input"),
        (changed(links__0__weight="1"), "the weight of x1 -> h1 is a finite number, not '1'"),
        (changed(links__0__weight=math.inf), "Infinity: no finite number"),
        (changed(links__0__weight=True), "the weight of x1 -> h1 is a finite number"),
        (changed().replace('"weight": ', '"weight": 1e999, "was": ', 1), "x1 -> h1 is a finite number, not inf"),
        (changed(links__1__source="x1"), "an edge x1 -> h1 already"),
    ],
)  # fmt: skip
def test_a_bad_file_is_refused_in_one_sentence(text, message):
    with pytest.raises(ValueError, match=message) as error:
        Network.from_json(text)
    assert str(error.value).endswith((".", ")", "?"))


def test_the_good_file_is_read():
    assert everything(Network.from_json(changed())) == everything(small())


def test_numbers_that_no_file_can_hold_are_not_written():
    net = small()
    net.weight.data[0] = math.nan
    with pytest.raises(ValueError, match=r"a file holds finite numbers, and here is .*'source': 'x1', 'target': 'h1'"):
        net.to_json()


def test_names_may_be_anything():
    net = Network(rng=0)
    x = net.input('é "x" -> \n')
    net.unit("日本", "tanh", [x])
    for again in (Network.from_json(net.to_json()), copy.deepcopy(net), pickle.loads(pickle.dumps(net))):
        assert everything(again) == everything(net)


def test_other_facts_of_a_graph_are_left_alone():
    data = json.loads(small().to_json())
    data["nodes"][0]["pos"] = [1, 2]
    data["links"][0]["colour"] = "red"
    data["graph"]["title"] = "mine"
    assert everything(Network.from_json(json.dumps(data))) == everything(small())
