"""The Kubernetes vocabulary: typed, frozen views that hold only the fields this program reads."""
