<?php

namespace MediaWiki\Extension\CentralAuth\User;

use CentralIdLookup;
use MediaWiki\User\UserIdentity;

/** Central ids, for list=users: by name, as core asks; 0 for whoever is hidden. */
class Lookup extends CentralIdLookup {

	public function lookupCentralIds( array $idToName, $audience = self::AUDIENCE_PUBLIC, $flags = 0 ): array {
		return $idToName;
	}

	public function lookupUserNames( array $nameToId, $audience = self::AUDIENCE_PUBLIC, $flags = 0 ): array {
		foreach ( $nameToId as $name => $unknown ) {
			$person = CentralAuthUser::ofName( $name );
			if ( $person->exists() && !$person->isHidden() ) {
				$nameToId[$name] = $person->getId();
			}
		}
		return $nameToId;
	}

	public function isAttached( UserIdentity $user, $wikiId = UserIdentity::LOCAL ): bool {
		return CentralAuthUser::ofName( $user->getName() )->isAttached();
	}
}
