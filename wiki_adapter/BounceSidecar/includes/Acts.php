<?php

namespace MediaWiki\Extension\BounceSidecar;

use Wikimedia\Timestamp\ConvertibleTimestamp;

/**
 * What may be done to a user whose mail comes back, each act under the condition that it still holds.
 *
 * Knows the conditions and the answers. Does not know who asks. Works within one transaction that has locked the
 * user's row: so an act may be repeated, and may race with others.
 */
class Acts {

	/**
	 * Seconds between the making of a confirmation token, by our clock, and the sending of its mail, by the
	 * sidecar's: so much earlier, and so much later. Nobody corrects an address as fast as that.
	 */
	private const TOKEN_BEFORE_MAIL = 60;
	private const TOKEN_AFTER_MAIL = 5;

	private Groups $groups;
	private ActLog $log;
	private Announcer $announcer;

	public function __construct( Groups $groups, ActLog $log, Announcer $announcer ) {
		$this->groups = $groups;
		$this->log = $log;
		$this->announcer = $announcer;
	}

	/**
	 * Tells the user that mail does not arrive and what will follow; once for one streak.
	 *
	 * @param \MediaWiki\User\User|\User $user loaded for update
	 * @param Confirmation $confirmation
	 * @param array $params confirmedbefore, protect, reason
	 * @return array
	 */
	public function warn( $user, Confirmation $confirmation, array $params ): array {
		$leftAlone = $this->leftAlone( $user, $confirmation, $params );
		if ( $leftAlone ) {
			return $leftAlone;
		}
		$told = $this->log->last( $user, 'warn' );
		if ( $told && $told['time'] > $params['confirmedbefore'] ) {
			return [ 'result' => 'warned' ];
		}
		return $this->tell( 'warn', $user, $params['reason'] );
	}

	/**
	 * Makes the address count as not confirmed if it has been confirmed without interruption since before
	 * the given time. The address itself is kept.
	 *
	 * @param \MediaWiki\User\User|\User $user loaded for update
	 * @param Confirmation $confirmation
	 * @param array $params confirmedbefore, protect, announce, reason
	 * @return array
	 */
	public function unconfirm( $user, Confirmation $confirmation, array $params ): array {
		$leftAlone = $this->leftAlone( $user, $confirmation, $params );
		if ( $leftAlone ) {
			return $leftAlone;
		}
		$since = $this->iso( $confirmation->since() );
		$fingerprint = $confirmation->fingerprint();
		$confirmation->take();
		$entry = $this->log->write( 'unconfirm', $user, $params['reason'], [
			'4::confirmed' => $since, 'fingerprint' => $fingerprint,
		] );
		if ( $params['announce'] ) {
			$this->announcer->tellAfterwards( 'unconfirm', $user );
		}
		return [
			'result' => 'unconfirmed', 'confirmed' => $since, 'fingerprint' => $fingerprint, 'logid' => $entry,
		];
	}

	/**
	 * Takes an un-confirmation of ours back if nobody has touched the address since.
	 *
	 * @param \MediaWiki\User\User|\User $user loaded for update
	 * @param Confirmation $confirmation
	 * @param array $params confirmed, fingerprint, reason
	 * @return array
	 */
	public function restore( $user, Confirmation $confirmation, array $params ): array {
		$since = $confirmation->since();
		if ( $since !== null ) {
			$result = $since === $params['confirmed'] ? 'already' : 'changed';
			return [ 'result' => $result, 'confirmed' => $this->iso( $since ) ];
		}
		$given = [ 'confirmed' => $this->iso( $params['confirmed'] ), 'fingerprint' => $params['fingerprint'] ];
		if ( $this->taken( $user, $confirmation ) !== $given ) {
			return [ 'result' => 'changed' ];
		}
		$confirmation->giveBack( $params['confirmed'] );
		$entry = $this->log->write( 'restore', $user, $params['reason'], [ '4::confirmed' => $given['confirmed'] ] );
		return [ 'result' => 'restored', 'logid' => $entry ];
	}

	/**
	 * Tells the user that the mail which asks for a confirmation came back; once for one mail.
	 *
	 * @param \MediaWiki\User\User|\User $user loaded for update
	 * @param Confirmation $confirmation
	 * @param array $params sent, reason
	 * @return array
	 */
	public function mistyped( $user, Confirmation $confirmation, array $params ): array {
		$since = $confirmation->since();
		if ( $since !== null ) {
			return [ 'result' => 'changed', 'confirmed' => $this->iso( $since ) ];
		}
		// Not about a mail that asked for no confirmation, such as a new password, nor about one before the last.
		$asked = $confirmation->hasAddress() ? $confirmation->askedFor() : null;
		$sent = (int)ConvertibleTimestamp::convert( TS_UNIX, $params['sent'] );
		if ( $asked === null || $asked < $sent - self::TOKEN_BEFORE_MAIL || $asked > $sent + self::TOKEN_AFTER_MAIL ) {
			return [ 'result' => 'changed' ];
		}
		$about = [ '4::sent' => $this->iso( $params['sent'] ) ];
		$told = $this->log->last( $user, 'mistyped' );
		if ( $told && $told['parameters'] === $about ) {
			return [ 'result' => 'warned' ];
		}
		return $this->tell( 'mistyped', $user, $params['reason'], $about );
	}

	/**
	 * @param \MediaWiki\User\User|\User $user
	 * @param Confirmation $confirmation
	 * @param array $params
	 * @return array|null the answer if nothing must be done; else null
	 */
	private function leftAlone( $user, Confirmation $confirmation, array $params ): ?array {
		$since = $confirmation->since();
		if ( $since === null ) {
			return [ 'result' => 'already' ] + $this->taken( $user, $confirmation );
		}
		if ( $since >= $params['confirmedbefore'] ) {
			return [ 'result' => 'changed', 'confirmed' => $this->iso( $since ) ];
		}
		$group = $this->groups->firstOf( $user, $params['protect'] ?? [] );
		return $group === null ? null : [ 'result' => 'protected', 'group' => $group ];
	}

	/**
	 * @param \MediaWiki\User\User|\User $user whose address is not confirmed
	 * @param Confirmation $confirmation
	 * @return array the confirmation that we took away, if that is why, and the address is the same
	 */
	private function taken( $user, Confirmation $confirmation ): array {
		$last = $this->log->last( $user, 'unconfirm', 'restore' );
		if ( !$last || $last['act'] !== 'unconfirm' || !$confirmation->hasAddress() ) {
			return [];
		}
		[ '4::confirmed' => $since, 'fingerprint' => $fingerprint ] = $last['parameters'];
		return $fingerprint === $confirmation->fingerprint()
			? [ 'confirmed' => $since, 'fingerprint' => $fingerprint ] : [];
	}

	/**
	 * Told and written down, or neither.
	 *
	 * @param string $act
	 * @param \MediaWiki\User\User|\User $user
	 * @param string $reason
	 * @param array $parameters
	 * @return array
	 * @throws CannotTell
	 */
	private function tell( string $act, $user, string $reason, array $parameters = [] ): array {
		$this->announcer->tell( $act, $user );
		return [ 'result' => 'warned', 'logid' => $this->log->write( $act, $user, $reason, $parameters ) ];
	}

	private function iso( string $time ): string {
		return ConvertibleTimestamp::convert( TS_ISO_8601, $time );
	}
}
