<?php

namespace MediaWiki\Extension\BounceSidecar;

use MediaWiki\MediaWikiServices;

/**
 * How Echo shows a notice: in the reader's language, with links to where the address can be changed or confirmed.
 *
 * Knows Echo's parts of a notification. Loaded by Echo alone.
 */
class NoticeModel extends EchoModel {

	/** Special pages, and the messages that name the links to them. */
	private const CHANGE = [ 'ChangeEmail', 'notification-link-emailbounce-change' ];
	private const CONFIRM = [ 'Confirmemail', 'notification-link-emailbounce-confirm' ];

	public function getIconType() {
		return 'emailuser';
	}

	public function getHeaderMessage() {
		// Messages: notification-header-emailbounce-{warn,unconfirm,mistyped}
		return $this->msg( $this->getHeaderMessageKey(), $this->getViewingUserForGender() );
	}

	public function getCompactHeaderMessage() {
		return $this->getHeaderMessage();
	}

	public function getBodyMessage() {
		// Messages: notification-body-emailbounce-{warn,unconfirm,mistyped}
		return $this->msg( "notification-body-{$this->type}", $this->getViewingUserForGender() );
	}

	public function getPrimaryLink() {
		return $this->link( ...self::CHANGE );
	}

	public function getSecondaryLinks() {
		// A warning comes while the address is still confirmed.
		$links = $this->type === EchoNotice::type( 'warn' ) ? [] : [ self::CONFIRM ];
		return array_map( function ( $link ) {
			return $this->link( ...$link ) + [ 'icon' => 'check', 'description' => '', 'prioritized' => true ];
		}, $links );
	}

	/**
	 * @param string $page
	 * @param string $label
	 * @return array
	 */
	private function link( string $page, string $label ): array {
		$title = MediaWikiServices::getInstance()->getTitleFactory()->makeTitle( NS_SPECIAL, $page );
		return [ 'url' => $title->getFullURL(), 'label' => $this->msg( $label )->text() ];
	}
}
