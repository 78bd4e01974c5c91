<?php

namespace MediaWiki\Extension\BounceSidecar;

/**
 * What Echo and MediaWiki must know of our notices. Echo need not be there.
 *
 * Implements no interfaces and hints no types of theirs: they move between releases.
 */
class NoticeHooks {

	/**
	 * @param array &$notifications
	 * @param array &$categories
	 */
	public function onBeforeCreateEchoEvent( &$notifications, &$categories ) {
		// Not to be switched off: without it, mail would stop without a word.
		$categories[EchoNotice::CATEGORY] = [ 'priority' => 2, 'no-dismiss' => [ 'all' ] ];
		// Echo has no other place for it. The address is dead.
		global $wgNotifyTypeAvailabilityByCategory;
		$wgNotifyTypeAvailabilityByCategory[EchoNotice::CATEGORY] = [ 'web' => true, 'email' => false ];
		foreach ( EchoNotice::KINDS as $kind ) {
			$notifications[EchoNotice::type( $kind )] = [
				'category' => EchoNotice::CATEGORY,
				'group' => 'negative',
				'section' => 'alert',
				'presentation-model' => NoticeModel::class,
				'user-locators' => [ EchoNotice::class . '::recipients' ],
				// Within the request: a job that is lost would tell nobody.
				'immediate' => true,
			];
		}
	}

	/**
	 * @param \MediaWiki\Extension\Notifications\Model\Notification|\EchoNotification $notification
	 */
	public function onEchoCreateNotificationComplete( $notification ) {
		EchoNotice::wasDelivered( (int)$notification->getEvent()->getId() );
	}

	/**
	 * MediaWiki writes to a user whose talk page was edited: not about our edits, to the address that is dead.
	 *
	 * @param \MediaWiki\User\User|\User $editor
	 * @param \MediaWiki\Title\Title|\Title $title
	 * @param \RecentChange $change
	 * @return bool
	 */
	public function onAbortEmailNotification( $editor, $title, $change ) {
		return !TalkPage::hasMade( (int)$change->getAttribute( 'rc_this_oldid' ) );
	}
}
