"""What the build puts in the place of these words."""

VERSION = "0.0.0"
ARCH = "amd64"
STAND_IN = "the fleet lab's stand-in, not Cloudflare's program"
