<?php

namespace MediaWiki\Extension\BounceSidecar;

use MediaWiki\Logger\LoggerFactory;
use Throwable;

/**
 * Tells users on the wiki what was done to them: by Echo where it is installed, else on their talk page.
 * Never by mail, which is what does not arrive.
 *
 * Knows the ways and their order. Does not know why somebody is told.
 */
class Announcer {

	/** @var \Wikimedia\Rdbms\ILoadBalancer */
	private $loadBalancer;
	/** @var \MediaWiki\User\UserOptionsLookup|\MediaWiki\User\Options\UserOptionsLookup */
	private $options;
	private TalkPage $talkPage;

	/**
	 * @param \Wikimedia\Rdbms\ILoadBalancer $loadBalancer
	 * @param \MediaWiki\User\UserOptionsLookup|\MediaWiki\User\Options\UserOptionsLookup $options
	 * @param TalkPage $talkPage
	 */
	public function __construct( $loadBalancer, $options, TalkPage $talkPage ) {
		$this->loadBalancer = $loadBalancer;
		$this->options = $options;
		$this->talkPage = $talkPage;
	}

	/**
	 * Within the transaction of the request: what is rolled back has told nobody.
	 *
	 * @param string $kind one of EchoNotice::KINDS
	 * @param \MediaWiki\User\User|\User $user
	 * @throws CannotTell with nothing changed
	 * @throws Throwable if it went wrong this time; the transaction must not be committed then
	 */
	public function tell( string $kind, $user ): void {
		if ( EchoNotice::isPossible() && EchoNotice::send( $kind, $user ) ) {
			return;
		}
		$language = $this->options->getOption( $user, 'language' );
		$text = static function ( string $part ) use ( $kind, $user, $language ): string {
			// Messages: emailbounce-{warn,unconfirm,mistyped}-{heading,text}
			return wfMessage( "emailbounce-$kind-$part", $user->getName() )->inLanguage( $language )->text();
		};
		$this->talkPage->addSection( $user, $text( 'heading' ), $text( 'text' ) );
	}

	/**
	 * Once the transaction is committed and before the answer is sent; whatever happens then is only logged.
	 *
	 * @param string $kind
	 * @param \MediaWiki\User\User|\User $user
	 */
	public function tellAfterwards( string $kind, $user ): void {
		$updates = Moved::name( 'DeferredUpdates' );
		$updates::addCallableUpdate( function () use ( $kind, $user ) {
			try {
				$this->tell( $kind, $user );
			} catch ( Throwable $e ) {
				LoggerFactory::getInstance( 'BounceSidecar' )->warning(
					'User {user} was not told on the wiki: {kind}',
					[ 'user' => $user->getId(), 'kind' => $kind, 'exception' => $e ]
				);
			}
		}, $updates::PRESEND, $this->loadBalancer->getConnection( DB_PRIMARY ) );
	}
}
