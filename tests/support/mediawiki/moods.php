<?php
/**
 * The troubles that a wiki can be in: real ones, in web requests only, while their flag file exists.
 * The moods that lie in the database (blocked, no right, no grant) are made by bench.php.
 */

/**
 * @param string $mood
 * @return bool
 */
function benchMood( $mood ) {
	return PHP_SAPI !== 'cli' && file_exists( getenv( 'BENCH_FOLDER' ) . "/moods/$mood" );
}

/** What a broken or overloaded web server answers before MediaWiki is reached. */
foreach ( [
	'http-500' => [ 500 ],
	'http-503' => [ 503, 'Retry-After: 7' ],
	'http-429' => [ 429, 'Retry-After: 7' ],
	'not-json' => [ 200 ],
] as $mood => $answer ) {
	if ( benchMood( $mood ) ) {
		http_response_code( array_shift( $answer ) );
		array_map( 'header', $answer );
		echo '<!DOCTYPE html><title>Trouble</title><p>Please come back later.</p>';
		exit;
	}
}

// In short naps, so that no worker stays busy after the mood has ended.
for ( $nap = 0; $nap < 100 && benchMood( 'slow' ); $nap++ ) {
	usleep( 50000 );
}

if ( benchMood( 'read-only' ) ) {
	$wgReadOnly = 'The disk is being changed';
}

if ( benchMood( 'lagged' ) ) {
	$wgHooks['ApiMaxLagInfo'][] = static function ( &$lag ) {
		$lag = [ 'host' => 'replica1', 'lag' => 30, 'type' => 'db' ];
	};
}

if ( benchMood( 'rate-limited' ) ) {
	$wgRateLimits['emailbounce'] = [ 'user' => [ 0, 60 ] ];
}

if ( benchMood( 'exception' ) ) {
	$wgHooks['UserSaveSettings'][] = static function () {
		throw new RuntimeException( 'The disk is full' );
	};
}
