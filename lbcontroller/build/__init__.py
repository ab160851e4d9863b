"""Pure: a snapshot of the cluster and an inventory of AWS become the desired stack of one object."""
