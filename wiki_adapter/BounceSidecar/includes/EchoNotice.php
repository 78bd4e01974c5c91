<?php

namespace MediaWiki\Extension\BounceSidecar;

use MediaWiki\MediaWikiServices;

/**
 * A notification of Echo's, for one user, on the web only.
 *
 * Knows Echo, which need not be there. Does not know what is said (NoticeModel).
 */
class EchoNotice {

	/** What a user may be told. */
	public const KINDS = [ 'warn', 'unconfirm', 'mistyped' ];

	public const CATEGORY = 'emailbounce';

	/** @var array<int,true> The events that Echo has turned into a notification in this request. */
	private static $delivered = [];

	public static function isPossible(): bool {
		return Moved::exists( 'EchoEvent' );
	}

	/**
	 * @param string $kind
	 * @param \MediaWiki\User\User|\User $user
	 * @return bool false if Echo does not notify this user
	 */
	public static function send( string $kind, $user ): bool {
		$event = Moved::name( 'EchoEvent' )::create( [
			'type' => self::type( $kind ),
			'extra' => [ 'recipient' => $user->getId() ],
		] );
		// That there is an event does not mean that anybody will see it.
		return $event && isset( self::$delivered[$event->getId()] );
	}

	/**
	 * @param string $kind
	 * @return string
	 */
	public static function type( string $kind ): string {
		return "emailbounce-$kind";
	}

	/**
	 * For Echo, which asks whom an event is for.
	 *
	 * @param \MediaWiki\Extension\Notifications\Model\Event|\EchoEvent $event
	 * @return array<\MediaWiki\User\User|\User>
	 */
	public static function recipients( $event ): array {
		return [ MediaWikiServices::getInstance()->getUserFactory()->newFromId( $event->getExtraParam( 'recipient' ) ) ];
	}

	/**
	 * @param int $event
	 */
	public static function wasDelivered( int $event ): void {
		self::$delivered[$event] = true;
	}
}
