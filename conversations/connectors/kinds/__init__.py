"""What each kind of connector is: one file each, named in CONNECTOR_KINDS."""
