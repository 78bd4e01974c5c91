<?php

namespace MediaWiki\Extension\BounceSidecar;

use RuntimeException;

/**
 * The sidecar gave no return path in time. The mail leaves with its usual one.
 *
 * The message names no mail address. If many: is the sidecar running, and may PHP's user write to its socket?
 */
class ReturnPathUnavailable extends RuntimeException {
}
