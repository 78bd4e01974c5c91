<?php

namespace MediaWiki\Extension\CentralAuth\User;

/** One address and one confirmation for all accounts of a person, by core's own hooks. */
class Sharing {

	public static function onUserGetEmail( $user, &$email ) {
		$person = CentralAuthUser::getInstance( $user );
		if ( $person->isAttached() ) {
			$email = $person->getEmail();
		}
	}

	public static function onUserGetEmailAuthenticationTimestamp( $user, &$timestamp ) {
		$person = CentralAuthUser::getInstance( $user );
		if ( $person->isAttached() ) {
			$timestamp = $person->isLocked() ? null : $person->getEmailAuthenticationTimestamp();
		}
	}

	public static function onUserSetEmail( $user, &$email ) {
		$person = CentralAuthUser::getInstance( $user );
		if ( $person->isAttached() ) {
			$person->store( 'gu_email', $email );
		}
	}

	public static function onUserSetEmailAuthenticationTimestamp( $user, &$timestamp ) {
		$person = CentralAuthUser::getInstance( $user );
		if ( $person->isAttached() ) {
			$person->store( 'gu_email_authenticated', $timestamp );
		}
	}
}
