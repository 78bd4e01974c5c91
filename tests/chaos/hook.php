<?php
/**
 * The wiki's hook without the wiki: for each line "socket wiki user address" on standard input, what the
 * extension's own code gets from that socket ("-" for nothing), and the microseconds that the mail waited.
 */

use MediaWiki\Extension\BounceSidecar\ReturnPathSocket;
use MediaWiki\Extension\BounceSidecar\ReturnPathUnavailable;

const PATIENCE = 0.05;

require $argv[1] . '/ReturnPathUnavailable.php';
require $argv[1] . '/ReturnPathSocket.php';

while ( ( $line = fgets( STDIN ) ) !== false ) {
	[ $socket, $wiki, $user, $address ] = explode( ' ', rtrim( $line ) );
	$began = hrtime( true );
	try {
		$path = ( new ReturnPathSocket( $socket, PATIENCE ) )->ask( 'verp', $wiki, (int)$user, $address );
	} catch ( ReturnPathUnavailable $trouble ) {
		$path = '-';
	}
	echo $path, ' ', intdiv( hrtime( true ) - $began, 1000 ), "\n";
}
