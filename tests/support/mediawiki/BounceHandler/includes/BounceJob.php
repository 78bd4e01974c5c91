<?php

namespace StandIn;

use GenericParameterJob;
use Job;
use MediaWiki\MediaWikiServices;

/** What follows from a bounce, once the wiki runs its jobs. Not remembered, not counted. */
class BounceJob extends Job implements GenericParameterJob {

	public function __construct( array $given ) {
		parent::__construct( 'standInBounce', $given );
	}

	public function run() {
		global $wgBounceHandlerUnconfirmUsers, $wgBounceRecordLimit;
		$user = MediaWikiServices::getInstance()->getUserFactory()->newFromId( $this->params['user'] );
		$enough = $wgBounceHandlerUnconfirmUsers && $wgBounceRecordLimit <= 1 && $this->params['permanent'];
		if ( $enough && $user->getEmail() !== '' ) {
			$user->setEmailAuthenticationTimestamp( null );
			$user->saveSettings();
		}
		return true;
	}
}
