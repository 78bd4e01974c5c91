<?php

namespace MediaWiki\Extension\BounceSidecar;

/**
 * The global account that a user is attached to, where there is CentralAuth.
 *
 * Knows the names of CentralAuth. Does not know what a global account is asked for.
 */
class Central {

	private const USER = 'MediaWiki\Extension\CentralAuth\User\CentralAuthUser';

	/**
	 * @param \MediaWiki\User\User|\User $user
	 * @return \MediaWiki\Extension\CentralAuth\User\CentralAuthUser|null null for a local account
	 */
	public static function accountOf( $user ) {
		if ( !class_exists( self::USER ) ) {
			return null;
		}
		$central = ( self::USER )::getInstance( $user );
		return $central->exists() && $central->isAttached() ? $central : null;
	}

	/**
	 * @param \MediaWiki\User\User|\User $user
	 * @param string|null $since in the format TS_MW
	 * @return bool whether the global account, if there is one, is confirmed since then, or not at all if null
	 */
	public static function isConfirmed( $user, ?string $since ): bool {
		$central = self::accountOf( $user );
		if ( !$central ) {
			return true;
		}
		$stored = ( self::USER )::newPrimaryInstanceFromId( $central->getId() )->getEmailAuthenticationTimestamp();
		return ( $stored ? wfTimestamp( TS_MW, $stored ) : null ) === $since;
	}
}
