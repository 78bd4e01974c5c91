<?php

namespace MediaWiki\Extension\BounceSidecar;

use RuntimeException;

/**
 * There is no way to tell this user anything on the wiki, today or later.
 */
class CannotTell extends RuntimeException {
}
