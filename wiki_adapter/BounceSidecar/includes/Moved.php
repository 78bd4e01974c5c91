<?php

namespace MediaWiki\Extension\BounceSidecar;

/**
 * The names of classes that MediaWiki and Echo move between releases: the new one where it is there.
 *
 * Knows names. Does not know what the classes do.
 */
class Moved {

	/** Old name => new name. */
	private const NAMES = [
		'CommentStoreComment' => 'MediaWiki\CommentStore\CommentStoreComment',
		'DeferredUpdates' => 'MediaWiki\Deferred\DeferredUpdates',
		'EchoEvent' => 'MediaWiki\Extension\Notifications\Model\Event',
		'WikiMap' => 'MediaWiki\WikiMap\WikiMap',
	];

	/**
	 * @param string $old
	 * @return string
	 */
	public static function name( string $old ): string {
		return class_exists( self::NAMES[$old] ) ? self::NAMES[$old] : $old;
	}

	/**
	 * @param string $old
	 * @return bool whether the class is there under any name
	 */
	public static function exists( string $old ): bool {
		return class_exists( self::name( $old ) );
	}
}
