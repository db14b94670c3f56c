"""The live-test environment of wardroom: real servers on loopback, started and stopped as one."""
