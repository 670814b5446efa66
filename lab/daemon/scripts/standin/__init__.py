"""Parts of the stand-in daemon. Nothing here is the real orchestrator."""
