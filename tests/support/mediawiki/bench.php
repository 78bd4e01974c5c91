<?php
/**
 * What the tests do to a wiki from behind, one operation a run: php bench.php OPERATION ARGUMENTS-AS-JSON
 *
 * Prints the result as JSON on its last line. Knows no test.
 */

use MediaWiki\MediaWikiServices;

require_once getenv( 'MW_INSTALL_PATH' ) . '/maintenance/Maintenance.php';

class Bench extends Maintenance {

	private const OPERATIONS = [
		'addUser', 'addUsers', 'setPassword', 'setGroup', 'confirm', 'changeAddress', 'askForConfirmation', 'setBotPassword',
		'block', 'unblock', 'sendMail', 'mailTo', 'setTalkPageModel',
		'rename', 'setPreference', 'confirmation',
	];

	public function __construct() {
		parent::__construct();
		$this->addArg( 'operation', 'one of: ' . implode( ', ', self::OPERATIONS ) );
		$this->addArg( 'arguments', 'a JSON object' );
	}

	public function execute() {
		$operation = $this->getArg( 0 );
		if ( !in_array( $operation, self::OPERATIONS, true ) ) {
			$this->fatalError( "unknown operation $operation" );
		}
		$result = $this->$operation( json_decode( $this->getArg( 1 ), true ) );
		$this->output( json_encode( $result ) . "\n" );
	}

	private function services() {
		return MediaWikiServices::getInstance();
	}

	private function user( $id ) {
		$user = $this->services()->getUserFactory()->newFromId( $id )->getInstanceForUpdate();
		if ( !$user ) {
			$this->fatalError( "no user $id" );
		}
		return $user;
	}

	private function must( $status ) {
		if ( !$status->isGood() ) {
			$this->fatalError( (string)$status );
		}
	}

	private function addUser( $given ) {
		$user = $this->services()->getUserFactory()->newFromName( $given['name'] );
		$this->must( $user->addToDatabase() );
		if ( $given['address'] !== '' ) {
			$user->setEmail( $given['address'] );
			$user->setEmailAuthenticationTimestamp( $given['confirmed'] );
			$user->saveSettings();
		}
		foreach ( $given['groups'] as $group ) {
			$this->services()->getUserGroupManager()->addUserToGroup( $user, $group );
		}
		return $user->getId();
	}

	private function addUsers( $given ) {
		return array_map( [ $this, 'addUser' ], $given['users'] );
	}

	private function setPassword( $given ) {
		$user = $this->user( $given['user'] );
		$this->must( $user->changeAuthenticationData( [
			'username' => $user->getName(),
			'password' => $given['password'],
			'retype' => $given['password'],
		] ) );
	}

	private function setGroup( $given ) {
		$groups = $this->services()->getUserGroupManager();
		$user = $this->user( $given['user'] );
		if ( $given['member'] ) {
			$groups->addUserToGroup( $user, $given['group'] );
		} else {
			$groups->removeUserFromGroup( $user, $given['group'] );
		}
	}

	private function confirm( $given ) {
		$user = $this->user( $given['user'] );
		$user->setEmailAuthenticationTimestamp( $given['confirmed'] );
		$user->saveSettings();
	}

	private function confirmation( $given ) {
		// As MediaWiki itself would say: extensions may know better than the user's row.
		$user = $this->user( $given['user'] );
		return [ 'address' => $user->getEmail(), 'confirmed' => $user->getEmailAuthenticationTimestamp() ];
	}

	private function changeAddress( $given ) {
		$user = $this->user( $given['user'] );
		// Takes the old address's confirmation with it.
		$user->setEmail( $given['address'] );
		$user->saveSettings();
	}

	private function askForConfirmation( $given ) {
		// MediaWiki asks as of now only, and keeps when the token expires.
		$expiry = $this->getConfig()->get( 'UserEmailConfirmationTokenExpiry' );
		$asked = (int)wfTimestamp( TS_UNIX, $given['at'] );
		$user = $this->user( $given['user'] );
		$database = $this->getDB( DB_PRIMARY );
		$database->update(
			'user',
			[
				'user_email_token' => md5( (string)$asked ),
				'user_email_token_expires' => $database->timestamp( $asked + $expiry ),
			],
			[ 'user_id' => $user->getId() ],
			__METHOD__
		);
		$user->invalidateCache();
	}

	private function setTalkPageModel( $given ) {
		$user = $this->user( $given['user'] );
		$page = $this->services()->getWikiPageFactory()->newFromTitle( $user->getTalkPage() );
		$handler = $this->services()->getContentHandlerFactory()->getContentHandler( $given['model'] );
		$this->must( $page->doUserEditContent( $handler->makeEmptyContent(), $user, 'a test' ) );
	}

	private function rename( $given ) {
		// What an extension in 1.39 and core in 1.43 do, each in its own way.
		$this->getDB( DB_PRIMARY )->update(
			'user', [ 'user_name' => $given['name'] ], [ 'user_id' => $given['user'] ], __METHOD__
		);
		$this->getDB( DB_PRIMARY )->update(
			'actor', [ 'actor_name' => $given['name'] ], [ 'actor_user' => $given['user'] ], __METHOD__
		);
		$this->user( $given['user'] )->invalidateCache();
	}

	private function setPreference( $given ) {
		$user = $this->user( $given['user'] );
		$options = $this->services()->getUserOptionsManager();
		$options->setOption( $user, $given['name'], $given['value'] );
		$options->saveOptions( $user );
	}

	private function setBotPassword( $given ) {
		$class = class_exists( '\MediaWiki\User\BotPassword' ) ? '\MediaWiki\User\BotPassword' : '\BotPassword';
		$user = $this->user( $given['user'] );
		$password = $class::newUnsaved( [
			'user' => $user, 'appId' => $given['app'], 'grants' => $given['grants'],
		] );
		$operation = $class::newFromUser( $user, $given['app'] ) ? 'update' : 'insert';
		$secret = $this->services()->getPasswordFactory()->newFromPlaintext( $given['secret'] );
		$this->must( $password->save( $operation, $secret ) );
	}

	private function block( $given ) {
		$admin = $this->services()->getUserFactory()->newFromName( 'Admin' );
		$this->must( $this->services()->getBlockUserFactory()->newBlockUser(
			$this->user( $given['user'] ), $admin, 'infinity', 'a test', [ 'isAutoblocking' => false ]
		)->placeBlockUnsafe() );
	}

	private function unblock( $given ) {
		$admin = $this->services()->getUserFactory()->newFromName( 'Admin' );
		$this->must( $this->services()->getUnblockUserFactory()->newUnblockUser(
			$this->user( $given['user'] ), $admin, 'a test'
		)->unblockUnsafe() );
	}

	private function sendMail( $given ) {
		$user = $this->user( $given['user'] );
		return $this->timed( static function () use ( $user, $given ) {
			return $user->sendMail( $given['subject'], $given['body'] );
		} );
	}

	private function mailTo( $given ) {
		$to = array_map( static function ( $recipient ) {
			return new MailAddress( $recipient['address'], $recipient['name'] );
		}, $given['recipients'] );
		$from = new MailAddress( 'wiki@wiki.example.org', 'Wiki' );
		return $this->timed( static function () use ( $to, $from, $given ) {
			return UserMailer::send( $to, $from, $given['subject'], $given['body'] );
		} );
	}

	private function timed( callable $send ) {
		$start = hrtime( true );
		$status = $send();
		return [ 'good' => $status->isGood(), 'seconds' => ( hrtime( true ) - $start ) / 1e9 ];
	}
}

$maintClass = Bench::class;
require_once RUN_MAINTENANCE_IF_MAIN;
