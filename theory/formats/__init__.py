"""Models as other programs read and write them: Storm, PRISM, Graphviz, numpy, Gymnasium."""
