"""The parts of the layers page: tables, the graph, the selection, one line of advice."""
