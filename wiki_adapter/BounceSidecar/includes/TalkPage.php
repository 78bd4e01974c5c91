<?php

namespace MediaWiki\Extension\BounceSidecar;

use RuntimeException;

/**
 * A new section on a user's talk page, which everybody can read.
 *
 * Knows pages and revisions. Does not know what is said.
 */
class TalkPage {

	/** @var array<int,true> The revisions made in this request. */
	private static $revisions = [];

	/** @var \MediaWiki\Page\WikiPageFactory */
	private $pages;
	/** @var \MediaWiki\User\User|\User */
	private $performer;

	/**
	 * @param \MediaWiki\Page\WikiPageFactory $pages
	 * @param \MediaWiki\User\User|\User $performer
	 */
	public function __construct( $pages, $performer ) {
		$this->pages = $pages;
		$this->performer = $performer;
	}

	/**
	 * @param \MediaWiki\User\User|\User $user
	 * @param string $heading
	 * @param string $text wikitext; a signature is added
	 * @throws CannotTell if the page is no wikitext, such as a board of Flow
	 */
	public function addSection( $user, string $heading, string $text ): void {
		$page = $this->pages->newFromTitle( $user->getTalkPage() );
		$updater = $page->newPageUpdater( $this->performer );
		// Fixes what the new text is based on: an edit of somebody else meanwhile is a conflict, and loses nothing.
		$parent = $updater->grabParentRevision();
		$handler = $page->getContentHandler();
		if ( $handler->getModelID() !== CONTENT_MODEL_WIKITEXT ) {
			throw new CannotTell( 'the talk page is no wikitext' );
		}
		$old = $parent ? $parent->getContent( 'main' ) : $handler->makeEmptyContent();
		$section = $handler->unserializeContent( "$text ~~~~" );
		$updater->setContent( 'main', $old->replaceSection( 'new', $section, $heading ) );
		$comment = Moved::name( 'CommentStoreComment' );
		$revision = $updater->saveRevision( $comment::newUnsavedComment( $heading ), EDIT_FORCE_BOT );
		if ( !$revision ) {
			throw new RuntimeException( 'The talk page was not saved: ' . $updater->getStatus() );
		}
		self::$revisions[$revision->getId()] = true;
	}

	/**
	 * @param int $revision
	 * @return bool whether this request has made it
	 */
	public static function hasMade( int $revision ): bool {
		return isset( self::$revisions[$revision] );
	}
}
