<?php

namespace MediaWiki\Extension\BounceSidecar;

/**
 * Asks the sidecar for a return path: one question, one connection, one deadline for all of it.
 *
 * Knows Postfix's socketmap protocol (socketmap_table(5)) over a Unix socket.
 * Does not know MediaWiki, nor what happens to a mail that gets no answer.
 */
class ReturnPathSocket {

	/** Octets of a reply: "OK ", a local part of 64, "@" and a domain of 255 (RFC 5321 4.5.3.1), or an excuse. */
	private const LONGEST_REPLY = 512;

	/** A return path that is safe on sendmail's command line and in MAIL FROM. */
	private const RETURN_PATH = '/^[\w.+\/=-]{1,64}@[A-Za-z0-9.-]{1,255}$/D';

	private string $path;
	private float $timeout;

	/**
	 * @param string $path of the Unix socket
	 * @param float $timeout seconds for connecting, writing and reading together
	 */
	public function __construct( string $path, float $timeout ) {
		$this->path = $path;
		$this->timeout = $timeout;
	}

	/**
	 * The signed return path for a mail to this user. Blocks for the timeout at most.
	 *
	 * @param string $lookup "verp" for mail to a confirmed address, "confirm" for mail to one that is not (yet)
	 * @param string $wiki
	 * @param int $userId
	 * @param string $address
	 * @return string
	 * @throws ReturnPathUnavailable
	 */
	public function ask( string $lookup, string $wiki, int $userId, string $address ): string {
		$deadline = hrtime( true ) + (int)( $this->timeout * 1e9 );
		$question = "$lookup $wiki $userId $address";
		$socket = $this->connect();
		try {
			$this->write( $socket, strlen( $question ) . ":$question,", $deadline );
			$reply = $this->read( $socket, $deadline );
		} finally {
			fclose( $socket );
		}
		[ $word, $rest ] = explode( ' ', $reply, 2 ) + [ '', '' ];
		if ( $word === 'PERM' || $word === 'TEMP' || $word === 'NOTFOUND' ) {
			throw new ReturnPathUnavailable( "the sidecar answered $word" );
		}
		if ( $word !== 'OK' || !preg_match( self::RETURN_PATH, $rest ) ) {
			throw new ReturnPathUnavailable( 'the answer is no return path' );
		}
		return $rest;
	}

	/**
	 * A full backlog fails at once (EAGAIN), so that the deadline need not be watched here.
	 *
	 * @return resource
	 */
	private function connect() {
		// The warning would repeat what the exception says.
		// phpcs:ignore Generic.PHP.NoSilencedErrors.Discouraged
		$socket = @stream_socket_client( "unix://{$this->path}", $errno, $error, $this->timeout );
		if ( !$socket ) {
			throw new ReturnPathUnavailable( "connecting failed: $error" );
		}
		stream_set_blocking( $socket, false );
		return $socket;
	}

	/**
	 * @param resource $socket
	 * @param string $octets
	 * @param int $deadline
	 */
	private function write( $socket, string $octets, int $deadline ): void {
		while ( $octets !== '' ) {
			$this->await( [], [ $socket ], $deadline );
			// phpcs:ignore Generic.PHP.NoSilencedErrors.Discouraged
			$written = @fwrite( $socket, $octets );
			if ( $written === false ) {
				throw new ReturnPathUnavailable( 'the sidecar hung up' );
			}
			$octets = substr( $octets, $written );
		}
	}

	/**
	 * @param resource $socket
	 * @param int $deadline
	 * @return string
	 */
	private function read( $socket, int $deadline ): string {
		$octets = '';
		do {
			$this->await( [ $socket ], [], $deadline );
			// phpcs:ignore Generic.PHP.NoSilencedErrors.Discouraged
			$more = @fread( $socket, self::LONGEST_REPLY );
			if ( $more === false || ( $more === '' && feof( $socket ) ) ) {
				throw new ReturnPathUnavailable( 'the sidecar hung up' );
			}
			$octets .= $more;
			$reply = $this->netstring( $octets );
		} while ( $reply === null );
		return $reply;
	}

	/**
	 * @param string $octets
	 * @return string|null what the netstring holds; null while it is incomplete
	 */
	private function netstring( string $octets ): ?string {
		if ( preg_match( '/^\d{0,3}$/D', $octets ) ) {
			return null;
		}
		if ( !preg_match( '/^(\d{1,3}):/', $octets, $match ) || (int)$match[1] > self::LONGEST_REPLY ) {
			throw new ReturnPathUnavailable( 'the answer is no netstring, or too long' );
		}
		$held = substr( $octets, strlen( $match[0] ) );
		$length = (int)$match[1];
		if ( strlen( $held ) <= $length ) {
			return null;
		}
		if ( substr( $held, $length ) !== ',' ) {
			throw new ReturnPathUnavailable( 'the answer does not end where it should' );
		}
		return substr( $held, 0, $length );
	}

	/**
	 * @param resource[] $readable
	 * @param resource[] $writable
	 * @param int $deadline
	 */
	private function await( array $readable, array $writable, int $deadline ): void {
		$microseconds = intdiv( $deadline - hrtime( true ), 1000 );
		$none = [];
		// A signal interrupts it with a warning; the mail then leaves unsigned, as after any trouble.
		// phpcs:ignore Generic.PHP.NoSilencedErrors.Discouraged
		$ready = $microseconds > 0 && @stream_select(
			$readable, $writable, $none, intdiv( $microseconds, 1000000 ), $microseconds % 1000000
		);
		if ( !$ready ) {
			throw new ReturnPathUnavailable( 'no answer in time' );
		}
	}
}
