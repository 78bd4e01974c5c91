<?php
/**
 * The settings of a test wiki. Knows the wiki's private folder; the installer's settings lie in there.
 *
 * Order: the trouble that the wiki is in, the installer's settings, ours, the test's own.
 */

if ( !defined( 'MEDIAWIKI' ) ) {
	exit;
}

$benchFolder = getenv( 'BENCH_FOLDER' );

require __DIR__ . '/moods.php';
require "$benchFolder/installed/LocalSettings.php";

$wgServer = getenv( 'BENCH_SERVER' );

// A login throttle, a rate limit and a session need a cache that all processes share.
$wgMainCacheType = CACHE_DB;
$wgSessionCacheType = CACHE_DB;
$wgCacheDirectory = "$benchFolder/cache";
$wgJobRunRate = 0;

$wgEnableEmail = true;
$wgEnableUserEmail = true;
$wgEmailAuthentication = true;
$wgPasswordSender = 'wiki@wiki.example.org';
$wgEmergencyContact = 'wiki@wiki.example.org';

$wgShowExceptionDetails = true;
foreach ( [ 'BounceSidecar', 'exception', 'error' ] as $channel ) {
	$wgDebugLogGroups[$channel] = "$benchFolder/log/$channel.log";
}

if ( !benchMood( 'no-extension' ) ) {
	wfLoadExtension( 'BounceSidecar', getenv( 'BENCH_EXTENSION' ) . '/extension.json' );
}
$wgBounceSidecarSocket = "$benchFolder/verp.sock";

// In 1.43's package, not in 1.39's; a test may do without.
$benchEcho = file_exists( getenv( 'MW_INSTALL_PATH' ) . '/extensions/Echo/extension.json' );
foreach ( json_decode( file_get_contents( "$benchFolder/settings.json" ), true ) as $name => $value ) {
	$GLOBALS[$name] = $value;
}
if ( $benchEcho ) {
	wfLoadExtension( 'Echo' );
}
if ( isset( $benchFarm ) ) {
	// What makes several wikis one farm, and lies with their databases.
	require $benchFarm;
}
require "$benchFolder/configured.php";
