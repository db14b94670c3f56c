//! Rollback drills: deploy a test version, inject a fault, roll back with the normal keys, verify, clean up.
