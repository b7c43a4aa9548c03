"""Territory -> cells: H3 covers, polygon layers, adjacency, barriers, proof of coverage."""
